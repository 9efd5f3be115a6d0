import { ConfigError } from '../errors.js';
import type { MatmulBnb4Attributes, MatmulNBitsAttributes } from '../primitives/attributes.js';
import { type Bnb4Format, codebooks } from '../quantization/codebook.js';
import { record, type Tensor, tensor } from '../tensor.js';
import { mul, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { gather } from './indexing.js';
import { pad, reshape, sliceAxis } from './rearrange.js';

/**
 * How exact a product with a quantized weight is. `1`: the float product with the weight behind the codes. `4`: the
 * `ort` engine rounds x to 8 bits in blocks, which on the CPU is several times as fast (numbers as in ONNX Runtime's
 * `accuracy_level`); other engines compute as with 1.
 */
export type AccuracyLevel = 1 | 4;

/** A weight in the layout of `NBitsMatrix`, as tensors. */
export interface NBitsTensors {
  /** uint8 [outputs, blocks, blockSize · bits / 8] */
  readonly packed: Tensor;
  /** [outputs, blocks] */
  readonly scales: Tensor;
  /** uint8 [outputs, ⌈blocks · bits / 8⌉] */
  readonly zeroPoints?: Tensor | undefined;
}

/** Options of {@link matmulNBits}. */
export interface MatmulNBitsOptions {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** Default: 1. */
  readonly accuracyLevel?: AccuracyLevel;
}

/**
 * x·Wᵀ with a weight in blocks of few bits. x [..., inputs] → [..., outputs]. Gradients go to x and to the scales.
 *
 * @throws ShapeError if codes, scales and x do not fit each other; DTypeError if x is no float32.
 */
export function matmulNBits(
  x: Tensor,
  { packed, scales, zeroPoints }: NBitsTensors,
  { bits, blockSize, accuracyLevel = 1 }: MatmulNBitsOptions,
): Tensor {
  requireBlockSize('matmulNBits', blockSize);
  const inputs = zeroPoints ? [x, packed, scales, zeroPoints] : [x, packed, scales];
  return record('matmulNBits', inputs, { bits, blockSize, accuracyLevel } satisfies MatmulNBitsAttributes);
}

/** A weight in the layout of `Bnb4Array`, as tensors. */
export interface Bnb4Tensors {
  /** uint8 [⌈outputs · inputs / 2⌉] */
  readonly packed: Tensor;
  /** [⌈outputs · inputs / blockSize⌉] */
  readonly absmax: Tensor;
}

/** Options of {@link matmulBnb4}. */
export interface MatmulBnb4Options {
  readonly format: Bnb4Format;
  readonly blockSize: number;
  readonly outputs: number;
  /** Default: 1. With 4, the values of the codebook are rounded to 8 bits as well. */
  readonly accuracyLevel?: AccuracyLevel;
}

/**
 * x·Wᵀ with a weight in 4-bit codes of bitsandbytes. x [..., inputs] → [..., outputs]. Gradients go to x and to absmax.
 *
 * @throws ShapeError if codes, scales and x do not fit each other; DTypeError if x is no float32.
 */
export function matmulBnb4(
  x: Tensor,
  { packed, absmax }: Bnb4Tensors,
  { format, blockSize, outputs, accuracyLevel = 1 }: MatmulBnb4Options,
): Tensor {
  requireBlockSize('matmulBnb4', blockSize);
  return record('matmulBnb4', [x, packed, absmax], {
    format,
    blockSize,
    outputs,
    accuracyLevel,
  } satisfies MatmulBnb4Attributes);
}

/** The float weight [outputs, columns] behind one in the layout of `NBitsMatrix`. */
export function decodeNBits(
  packed: Tensor,
  scales: Tensor,
  zeroPoints: Tensor | undefined,
  { bits, blockSize, columns }: Pick<MatmulNBitsOptions, 'bits' | 'blockSize'> & { readonly columns: number },
): Tensor {
  const [rows, blocks] = scales.shape as [number, number];
  const perBlock = (x: Tensor) => reshape(x, [rows * blocks, -1]);
  const zeros = zeroPoints && perBlock(unpackZeroPoints(zeroPoints, bits, [rows, blocks]));
  const distances = zeros
    ? sub(perBlock(bits === 4 ? halves(packed, 'codes') : cast(packed, 'float32')), zeros)
    : perBlock(bits === 4 ? halves(packed, 'centred codes') : sub(cast(packed, 'float32'), 128));
  const values = mul(distances, perBlock(scales)); // [rows · blocks, blockSize]
  return sliceAxis(reshape(values, [rows, blocks * blockSize]), 1, 0, columns);
}

/** The float weight behind one in the layout of `Bnb4Array`. */
export function decodeBnb4(
  packed: Tensor,
  absmax: Tensor,
  {
    format,
    blockSize,
    shape,
  }: { readonly format: Bnb4Format; readonly blockSize: number; readonly shape: readonly [number, number] },
): Tensor {
  const count = shape[0] * shape[1];
  const [blocks] = absmax.shape as [number];
  const values = reshape(halves(packed, format), [-1]); // [2 · bytes]
  const missing = Math.max(0, blocks * blockSize - values.size);
  const filled = pad(values, { before: [0], after: [missing] });
  const scaled = reshape(mul(reshape(filled, [blocks, blockSize]), reshape(absmax, [blocks, 1])), [-1]);
  return reshape(sliceAxis(scaled, 0, 0, count), shape);
}

function unpackZeroPoints(zeroPoints: Tensor, bits: 4 | 8, [rows, blocks]: readonly [number, number]): Tensor {
  if (bits === 8) return cast(zeroPoints, 'float32');
  return sliceAxis(reshape(halves(zeroPoints, 'codes'), [rows, -1]), 1, 0, blocks);
}

/** What the halves of a byte stand for. */
const meanings = {
  codes: (byte: number) => [byte & 15, byte >> 4],
  'centred codes': (byte: number) => [(byte & 15) - 8, (byte >> 4) - 8],
  nf4: (byte: number) => [codebooks.nf4[byte >> 4]!, codebooks.nf4[byte & 15]!],
  fp4: (byte: number) => [codebooks.fp4[byte >> 4]!, codebooks.fp4[byte & 15]!],
};

const tables = new Map<keyof typeof meanings, Tensor>();

/** Both halves of each byte, looked up together: bytes [...] → [..., 2]. */
function halves(bytes: Tensor, meaning: keyof typeof meanings): Tensor {
  let table = tables.get(meaning);
  if (!table) {
    const rows = Array.from({ length: 256 }, (_, byte) => meanings[meaning](byte));
    table = tensor(Float32Array.from(rows.flat()), [256, 2]);
    tables.set(meaning, table);
  }
  return gather(table, cast(bytes, 'int32'));
}

function requireBlockSize(operation: string, blockSize: number): void {
  if (blockSize >= 16 && Number.isInteger(Math.log2(blockSize))) return;
  throw new ConfigError({
    operation,
    expected: 'a block size that is a power of two, at least 16',
    received: String(blockSize),
  });
}
