import { z } from 'zod';
import type { AnyTypedArray } from '../dtype.js';
import { CheckpointError } from '../errors.js';
import type { TensorReader } from '../safetensors/reader.js';
import { requireCodebook } from './bnb4.js';
import type { Bnb4Config, QuantizationConfig } from './config.js';
import type { Parts } from './formats.js';
import { packInt8 } from './int8-format.js';
import type { MatrixShape } from './nbits.js';
import { statisticsBlockSize } from './statistics.js';

/** A weight that bitsandbytes saved. */
export interface BitsAndBytesWeight {
  /** Under which its codes are stored, for example `layers.0.mlp.up_proj.weight`. */
  readonly key: string;
  readonly config: QuantizationConfig;
  /** [outputs, inputs] */
  readonly shape: MatrixShape;
  /** All that is stored of it. */
  readonly keys: readonly string[];
  read(): Promise<Parts<AnyTypedArray>>;
}

const operation = 'read bitsandbytes weight';

const stateKey = /^(.*)\.quant_state\.bitsandbytes__(nf4|fp4)$/;
const scaleKey = /^(.*\.)?SCB$/;

/** What `quant_state` says; other fields are about how the library computes. */
const stateSchema = z.object({
  quant_type: z.enum(['nf4', 'fp4']),
  blocksize: z.int().positive(),
  shape: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  nested_blocksize: z.literal(statisticsBlockSize).optional(),
  nested_offset: z.number().optional(),
});

/**
 * Finds the weights that bitsandbytes saved (`functional.py`, `QuantState.as_dict`; `nn/modules.py`): 4 bits as `X`,
 * `X.absmax`, `X.quant_map`, `X.quant_state.bitsandbytes__nf4`, and `X.nested_…` where the scales are quantized too;
 * 8 bits as `X.weight` of int8 and `X.SCB`.
 *
 * @throws CheckpointError for a weight whose parts do not fit each other, or of a kind that is not known.
 */
export async function bitsAndBytesWeights(reader: TensorReader): Promise<BitsAndBytesWeight[]> {
  const found: BitsAndBytesWeight[] = [];
  for (const key of reader.keys()) {
    const state = stateKey.exec(key);
    if (state) found.push(await fourBitWeight(reader, state[1]!, key));
    const scales = scaleKey.exec(key);
    if (scales) found.push(await eightBitWeight(reader, scales[1] ?? ''));
  }
  return found;
}

async function fourBitWeight(reader: TensorReader, key: string, stateName: string): Promise<BitsAndBytesWeight> {
  const state = parseState(stateName, await reader.readBytes(stateName));
  const { quant_type: format, blocksize: blockSize, shape, nested_offset } = state;
  const nested = [`${key}.nested_absmax`, `${key}.nested_quant_map`] as const;
  const doubleQuantized = reader.has(nested[0]);
  const keys = [key, stateName, `${key}.absmax`, ...(doubleQuantized ? nested : [])];
  const missing = keys.find((each) => !reader.has(each));
  if (missing !== undefined) throw misfit(key, `a tensor ${missing} beside it`, 'none');
  const map = `${key}.quant_map`;
  if (reader.has(map)) {
    keys.push(map);
    requireCodebook(`${operation} ${key}`, format, (await reader.read(map, { as: 'float32' })).data);
  }
  const count = shape[0] * shape[1];
  const blocks = Math.ceil(count / blockSize);
  // The codes may be stored under another dtype, two or four bytes to an element.
  requireBytes(reader, key, Math.ceil(count / 2));
  requireElements(reader, `${key}.absmax`, blocks);
  if (doubleQuantized) requireBytes(reader, `${key}.absmax`, blocks);
  if (doubleQuantized) requireElements(reader, nested[0], Math.ceil(blocks / statisticsBlockSize));
  if (doubleQuantized) requireElements(reader, nested[1], 256);
  if (doubleQuantized && nested_offset === undefined) throw misfit(stateName, 'a nested_offset', 'none');
  const config: Bnb4Config = { format, blockSize, doubleQuantized };
  const floats = async (name: string) => (await reader.read(name, { as: 'float32' })).data;
  return {
    key,
    config,
    shape,
    keys,
    read: async () => ({
      packed: await reader.readBytes(key),
      absmax: doubleQuantized ? await reader.readBytes(`${key}.absmax`) : await floats(`${key}.absmax`),
      ...(doubleQuantized && {
        nestedAbsmax: await floats(nested[0]),
        nestedMap: await floats(nested[1]),
        nestedOffset: Float32Array.of(nested_offset!),
      }),
    }),
  };
}

async function eightBitWeight(reader: TensorReader, module: string): Promise<BitsAndBytesWeight> {
  const [key, scales, order] = [`${module}weight`, `${module}SCB`, `${module}weight_format`];
  if (!reader.has(key)) throw misfit(scales, `a tensor ${key} beside it`, 'none');
  const { dtype, shape } = reader.info(key);
  const [outputs, inputs] = shape;
  if (dtype !== 'int8' || shape.length !== 2) throw misfit(key, 'a matrix of int8', `${dtype} [${shape.join(', ')}]`);
  requireElements(reader, scales, outputs!);
  const hasOrder = reader.has(order);
  const [layout] = hasOrder ? await reader.readBytes(order) : [0];
  if (layout !== 0) throw misfit(order, '0, for codes that are stored row by row', String(layout));
  return {
    key,
    config: { format: 'int8' },
    shape: [outputs!, inputs!],
    keys: [key, scales, ...(hasOrder ? [order] : [])],
    read: async () => ({
      packed: packInt8((await reader.read(key, { as: 'int8' })).data, [outputs!, inputs!]),
      absmax: (await reader.read(scales, { as: 'float32' })).data,
    }),
  };
}

function parseState(key: string, bytes: Uint8Array): z.output<typeof stateSchema> {
  const text = new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = stateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw misfit(
    key,
    'a quant_state of bitsandbytes',
    `${issue!.path.join('.')}: ${issue!.message} in ${text.slice(0, 200)}`,
  );
}

function requireBytes(reader: TensorReader, key: string, expected: number): void {
  const { byteLength } = reader.info(key);
  if (byteLength !== expected) throw misfit(key, `${expected} bytes`, String(byteLength));
}

function elementsOf(reader: TensorReader, key: string): number {
  return reader.info(key).shape.reduce((count, size) => count * size, 1);
}

function requireElements(reader: TensorReader, key: string, expected: number): void {
  const elements = elementsOf(reader, key);
  if (elements !== expected) throw misfit(key, `${expected} elements`, String(elements));
}

function misfit(key: string, expected: string, received: string): CheckpointError {
  return new CheckpointError({
    operation,
    key,
    expected,
    received,
    remedy: 'Check that the checkpoint is complete and was saved by bitsandbytes 0.41 or later.',
  });
}
