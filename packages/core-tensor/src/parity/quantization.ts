import { compile } from '../compile.js';
import type { AnyTypedArray } from '../dtype.js';
import { codebooks } from '../quantization/codebook.js';
import type { QuantizationConfigInput } from '../quantization/config.js';
import { dequantizeValues, type Parts, quantizeValues } from '../quantization/formats.js';
import { unpackInt8 } from '../quantization/int8-format.js';
import type { MatrixShape } from '../quantization/nbits.js';
import { QuantizedWeight } from '../quantization/quantized-weight.js';
import { compressStatistics, dynamicMap, restoreStatistics } from '../quantization/statistics.js';
import { type Tensor, tensor } from '../tensor.js';
import { compareWithFixture, type ParityCheck, type ParityResult, worstOf } from './compare.js';
import { type Fixture, type FixtureTensor, fixtureTensors, toTensor } from './fixture.js';
import { FixtureError } from './ops/operator-case.js';

/** How a fixture describes one quantized matrix [N, K]. */
interface QuantizedCase {
  readonly op: string;
  readonly N: number;
  readonly K: number;
  readonly bits?: 4 | 8;
  readonly block_size?: number;
  readonly symmetric?: boolean;
  readonly quant_type?: 'nf4' | 'fp4';
}

/**
 * Quantizes each case's matrix W, and compares codes, scales, the values behind them and, where there is an A, the
 * product A·Wᵀ, which is computed by a compiled program that holds the weight. Integers are stored as floats: one that
 * differs is far beyond the tolerance.
 */
export const checkQuantization: ParityCheck = async (fixture) => {
  const cases = Object.entries((fixture.config as { cases?: Record<string, QuantizedCase> } | null)?.cases ?? {});
  if (cases.length === 0) {
    const operation = `check ${fixture.file}`;
    throw new FixtureError({ operation, expected: 'at least one case in config.cases', received: 'none' });
  }
  const results: ParityResult[] = [await checkTables(fixture)];
  for (const [name, each] of cases) {
    const result = await checkCase(fixture, name, each);
    results.push({ ...result, mismatches: result.mismatches.map((mismatch) => `${name}: ${mismatch}`) });
  }
  return worstOf(results);
};

function checkTables(fixture: Fixture): Promise<ParityResult> {
  const tables = { nf4_code: codebooks.nf4, dynamic_map: dynamicMap };
  const known = Object.entries(tables).filter(([name]) => fixture.tensors.has(`out.${name}`));
  const kept = new Map([...fixture.tensors].filter(([name]) => known.some(([table]) => name === `out.${table}`)));
  const outputs = Object.fromEntries(known.map(([name, values]) => [name, tensor(values)]));
  return compareWithFixture({ ...fixture, tensors: kept }, { outputs });
}

async function checkCase(fixture: Fixture, name: string, given: QuantizedCase): Promise<ParityResult> {
  const { W, A, bias } = fixtureTensors(fixture, `in.${name}`);
  if (!W) throw new FixtureError({ operation: `check ${name}`, expected: 'a matrix W', received: 'none' });
  const weight = new QuantizedWeight([given.N, given.K], configOf(name, given));
  const parts = quantizeValues(W.data as Float32Array, weight.shape, weight.config);
  weight.setFromFloat(W.data as Float32Array);
  const values = dequantizeValues(parts, weight.shape, weight.config);
  const outputs: Record<string, Tensor> = {
    ...storedParts(fixture, name, weight, parts),
    dequantized: tensor(values, weight.shape),
  };
  if (A) outputs.Y = await product(weight, A, bias);
  return compareWithFixture(fixture, { outputs }, name);
}

function product(weight: QuantizedWeight, a: FixtureTensor, bias: FixtureTensor | undefined): Promise<Tensor> {
  const program = compile((x: Tensor) => weight.linear(x, bias && toTensor(bias)));
  return program(toTensor(a));
}

function configOf(
  name: string,
  { op, bits, block_size, symmetric, quant_type }: QuantizedCase,
): QuantizationConfigInput {
  if (quant_type) return { format: quant_type, blockSize: block_size };
  if (op.includes('MatMulNBits')) return { format: 'nbits', bits, blockSize: block_size, symmetric };
  if (op.startsWith('int8')) return { format: 'int8' };
  throw new FixtureError({
    operation: `check ${name}`,
    expected: 'MatMulNBits, a bitsandbytes format or int8 rows',
    received: JSON.stringify(op),
  });
}

/** The parts under the names and in the shapes that the fixture has them in. */
function storedParts(
  fixture: Fixture,
  name: string,
  { config, shape }: QuantizedWeight,
  parts: Parts<AnyTypedArray>,
): Record<string, Tensor> {
  const stored = fixtureTensors(fixture, `out.${name}`);
  const like = (key: string, values: ArrayLike<number>): [string, Tensor][] => {
    const floats = Float32Array.from(values);
    const expected = stored[key];
    return [[key, tensor(floats, expected?.data.length === floats.length ? expected.shape : [floats.length])]];
  };
  const numbers = (array: AnyTypedArray | undefined) => array as Uint8Array | Float32Array;
  if (config.format === 'int8') {
    const codes = Float32Array.from(unpackInt8(parts.packed as Uint8Array, shape));
    return { q: tensor(codes, shape as MatrixShape), row_absmax: tensor(numbers(parts.absmax) as Float32Array) };
  }
  if (config.format === 'nbits') {
    return Object.fromEntries([
      ...like('B', numbers(parts.packed)),
      ...like('scales', numbers(parts.scales)),
      ...(parts.zeroPoints ? like('zero_points', numbers(parts.zeroPoints)) : []),
    ]);
  }
  const plain = [...like('packed', numbers(parts.packed)), ...like('absmax', numbers(parts.absmax))];
  if (!('nested.offset' in stored)) return Object.fromEntries(plain);
  const compressed = compressStatistics(parts.absmax as Float32Array);
  return Object.fromEntries([
    ...plain,
    ...like('nested.offset', [compressed.offset]),
    ...like('nested.absmax', compressed.absmax),
    ...like('nested.absmax_q8', compressed.codes),
    ...like('nested.absmax_restored', restoreStatistics(compressed)),
  ]);
}
