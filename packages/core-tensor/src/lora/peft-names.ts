import { CheckpointError } from '../errors.js';
import type { Module, NamedParameters } from '../nn/module.js';
import type { SafetensorsReader, TensorReader } from '../safetensors/reader.js';
import { type AdaptedLayer, adaptedLayers } from './adapted-layers.js';

/** What PEFT puts in front of the names of the model it wraps. */
export const peftPrefix = 'base_model.model.';

/** Names of files in a PEFT folder, and of the one that LLaVA puts beside them. */
export const peftFiles = {
  config: 'adapter_config.json',
  weights: 'adapter_model.safetensors',
  pickledWeights: 'adapter_model.bin',
  others: 'non_lora_trainables.safetensors',
  pickledOthers: 'non_lora_trainables.bin',
} as const;

/** Parameters of adapters under PEFT's names: `base_model.model.PATH.lora_A.weight`, or without that prefix. */
export function adapterEntries(layers: readonly AdaptedLayer[], prefix: string = peftPrefix): NamedParameters {
  return Object.fromEntries(
    layers.flatMap(({ path, adapter }) =>
      Object.entries(adapter.namedParameters()).map(([name, parameter]) => [`${prefix}${path}.${name}`, parameter]),
    ),
  );
}

/** Parameters of the model itself under PEFT's names: an adapted layer is inside a wrapper there. */
export function modelEntries(parameters: NamedParameters, layers: readonly AdaptedLayer[]): NamedParameters {
  const adapted = new Set(layers.map(({ path }) => path));
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const end = name.lastIndexOf('.');
      const isWrapped = adapted.has(name.slice(0, end));
      return [`${peftPrefix}${isWrapped ? `${name.slice(0, end)}.base_layer${name.slice(end)}` : name}`, parameter];
    }),
  );
}

/** A name in a file without what only says where in PEFT's wrappers the tensor was. */
export function plainName(key: string): string {
  const inside = key.startsWith(peftPrefix) ? key.slice(peftPrefix.length) : key;
  return inside
    .replace('.base_layer.', '.')
    .replace('.modules_to_save.default.', '.')
    .replace(/\.(lora_[AB])\.default\.weight$/, '.$1.weight')
    .replace(/\.(lora_embedding_[AB])\.default$/, '.$1');
}

/**
 * A file's tensors under their plain names.
 *
 * @throws CheckpointError if two of them have one
 */
export function plainReader(reader: SafetensorsReader): TensorReader {
  const keys = new Map<string, string>();
  for (const key of reader.keys()) {
    const name = plainName(key);
    const other = keys.get(name);
    if (other !== undefined) {
      throw new CheckpointError({
        operation: 'read adapter',
        file: reader.path,
        key,
        expected: 'every tensor once',
        received: `the one of ${other} again`,
        remedy: 'Save the adapter again.',
      });
    }
    keys.set(name, key);
  }
  // An unknown name is left to the reader, which says so.
  const stored = (name: string) => keys.get(name) ?? name;
  return {
    metadata: reader.metadata,
    close: () => reader.close(),
    keys: () => [...keys.keys()],
    has: (name) => keys.has(name),
    info: (name) => reader.info(stored(name)),
    read: ((name: string, options?: object) => reader.read(stored(name), options)) as TensorReader['read'],
    readInto: (name, target, options) => reader.readInto(stored(name), target, options),
    readRange: ((name: string, begin: number, end: number, options?: object) =>
      reader.readRange(stored(name), begin, end, options)) as TensorReader['readRange'],
    readBytes: (name, begin, end) => reader.readBytes(stored(name), begin, end),
  };
}

/**
 * Parameters of the low-rank adapters on a model under the names that PEFT's files have them by:
 * `base_model.model.PATH.lora_A.weight`, for example.
 */
export function loraParameters(module: Module): NamedParameters {
  return adapterEntries(adaptedLayers(module));
}
