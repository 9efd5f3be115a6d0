import type { AnyTypedArray } from '../dtype.js';
import { ConfigError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import type { TensorSource } from '../safetensors/format.js';
import { codebooks } from './codebook.js';
import type { Bnb4Config } from './config.js';
import { unpackInt8 } from './int8-format.js';
import { QuantizedWeight } from './quantized-weight.js';
import { statisticsBlockSize } from './statistics.js';

/**
 * All parameters of a module as bitsandbytes saves them, for `writeCheckpoint`: quantized weights in the library's
 * layout, the others as they are. Values are read when their turn comes.
 *
 * @throws ConfigError for a weight of `nbits`, which the library does not have.
 */
export async function bitsAndBytesTensors(module: Module): Promise<Record<string, TensorSource>> {
  const weights = Object.entries(module.namedModules()).flatMap(([path, each]) =>
    each instanceof QuantizedWeight ? [{ path, weight: each }] : [],
  );
  const inside = new Set(weights.flatMap(({ weight }) => Object.values(weight.namedParameters())));
  const tensors: Record<string, TensorSource> = {};
  for (const [name, parameter] of Object.entries(module.namedParameters())) {
    if (!inside.has(parameter)) tensors[name] = sourceOf(parameter);
  }
  for (const { path, weight } of weights) Object.assign(tensors, await tensorsOf(path, weight));
  return tensors;
}

async function tensorsOf(path: string, weight: QuantizedWeight): Promise<Record<string, TensorSource>> {
  const { config, shape } = weight;
  if (config.format === 'nbits') {
    throw new ConfigError({
      operation: 'bitsAndBytesTensors',
      expected: 'weights of nf4, fp4 or int8',
      received: `${path}, one of nbits, which the library does not have`,
      remedy: 'Save the module under its own names with saveWeights, or convert it with quantizeModule.',
    });
  }
  if (config.format !== 'int8') return fourBitTensors(path, weight, config);
  const module = path.slice(0, path.lastIndexOf('.') + 1);
  const codes = async () => unpackInt8((await weight.packed.data()) as Uint8Array, shape);
  return {
    [path]: { dtype: 'int8', shape, data: codes },
    [`${module}SCB`]: sourceOf(weight.absmax!),
    [`${module}weight_format`]: { dtype: 'uint8', shape: [], data: Uint8Array.of(0) },
  };
}

async function fourBitTensors(
  path: string,
  weight: QuantizedWeight,
  { format, blockSize, doubleQuantized }: Bnb4Config,
): Promise<Record<string, TensorSource>> {
  const { shape, packed, absmax, nestedAbsmax, nestedMap, nestedOffset } = weight;
  const nested = doubleQuantized && {
    nested_blocksize: statisticsBlockSize,
    nested_dtype: 'float32',
    nested_offset: await nestedOffset!.item(),
  };
  const state = JSON.stringify({ quant_type: format, blocksize: blockSize, dtype: 'float32', shape, ...nested });
  const bytes = new TextEncoder().encode(state);
  return {
    [path]: { ...sourceOf(packed), shape: [packed.size, 1] },
    [`${path}.absmax`]: sourceOf(absmax!),
    [`${path}.quant_map`]: { dtype: 'float32', shape: [16], data: codebooks[format] },
    ...(doubleQuantized && {
      [`${path}.nested_absmax`]: sourceOf(nestedAbsmax!),
      [`${path}.nested_quant_map`]: sourceOf(nestedMap!),
    }),
    [`${path}.quant_state.bitsandbytes__${format}`]: { dtype: 'uint8', shape: [bytes.length], data: bytes },
  };
}

function sourceOf(parameter: Parameter): TensorSource {
  const data = (): Promise<AnyTypedArray> => parameter.data();
  // Dtype and data belong together, which the compiler cannot see.
  return { dtype: parameter.dtype, shape: parameter.shape, data } as TensorSource;
}
