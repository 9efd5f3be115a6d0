import { type AnyTypedArray, convert, type DType, isFloating, type TypedArrayOf } from '../dtype.js';
import { ConfigError } from '../errors.js';
import { type Module, matchesName, type NamedParameters, type NamePattern } from '../nn/module.js';
import type { Parameter } from '../nn/parameter.js';
import type { TensorSource } from '../safetensors/format.js';
import { type WrittenCheckpoint, writeCheckpoint } from '../safetensors/write-checkpoint.js';
import { type CompiledKeyMap, compileKeyMap, type FloatTensor, identityKeyMap, type KeyMap } from './key-map.js';

/** Options of {@link saveWeights}. */
export interface SaveWeightsOptions {
  /** The one that loading uses. Default: tensors are named like the parameters. */
  readonly keyMap?: KeyMap;
  /** Parameters that are left out, as their values are kept elsewhere. Default: none. */
  readonly omit?: readonly NamePattern[];
  /** Of floats in the files. Default: that of each parameter. */
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
  /** Largest size of a shard in bytes. Default: 5·10⁹, as Hugging Face libraries. */
  readonly maxShardBytes?: number;
}

/**
 * Writes a module's parameters into a folder as Hugging Face libraries do: `model.safetensors`, or shards and their
 * index. One tensor is in memory at a time; a checkpoint that was there is replaced only when the new one is complete.
 *
 * @throws ConfigError if the key map packs a parameter with others that the module lacks
 * @throws CheckpointError naming the file that cannot be written; the folder is as before then
 */
export async function saveWeights(
  folder: string,
  module: Module,
  { keyMap = identityKeyMap, omit = [], dtype, maxShardBytes }: SaveWeightsOptions = {},
): Promise<WrittenCheckpoint> {
  const parameters = Object.fromEntries(
    Object.entries(module.namedParameters()).filter(([name]) => !omit.some((pattern) => matchesName(name, pattern))),
  );
  const sources = storedTensors(parameters, compileKeyMap(keyMap), dtype);
  return writeCheckpoint(folder, sources, maxShardBytes === undefined ? {} : { maxShardBytes });
}

function storedTensors(
  parameters: NamedParameters,
  map: CompiledKeyMap,
  dtype: SaveWeightsOptions['dtype'],
): [key: string, source: TensorSource][] {
  const sources = new Map<string, TensorSource>();
  for (const name of Object.keys(parameters)) {
    const role = map.storedAs(name);
    if (sources.has(role.key)) continue;
    const parts = role.parameters.map((part) => requirePart(parameters, part, role.key));
    sources.set(role.key, sourceOf(parts, role.layout, dtype));
  }
  return [...sources];
}

function requirePart(parameters: NamedParameters, name: string, key: string): Parameter {
  const parameter = parameters[name];
  if (parameter) return parameter;
  throw new ConfigError({
    operation: 'saveWeights',
    expected: `a parameter ${name}, which ${key} holds too`,
    received: 'a module without it',
    remedy: 'Use the key map of this module.',
  });
}

function sourceOf(
  parts: readonly Parameter[],
  layout: ReturnType<CompiledKeyMap['storedAs']>['layout'],
  wanted: SaveWeightsOptions['dtype'],
): TensorSource {
  const [first] = parts as readonly [Parameter];
  const dtype: DType = wanted !== undefined && isFloating(first.dtype) ? wanted : first.dtype;
  const shape = layout ? layout.shape(parts.map((part) => part.shape)) : first.shape;
  const data = async (): Promise<AnyTypedArray> => {
    if (!layout) return convert((await first.peek()) as TypedArrayOf<DType>, first.dtype, dtype);
    const stored = layout.write(await Promise.all(parts.map(floatsOf)));
    return convert(stored.data, 'float32', dtype);
  };
  // Dtype and data belong together, which the compiler cannot see.
  return { dtype, shape, data } as TensorSource;
}

async function floatsOf(parameter: Parameter): Promise<FloatTensor> {
  const data = convert((await parameter.peek()) as TypedArrayOf<DType>, parameter.dtype, 'float32');
  return { shape: parameter.shape, data };
}
