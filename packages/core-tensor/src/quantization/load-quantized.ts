import { CheckpointError, formatShape } from '../errors.js';
import { sameShape } from '../graph/shape.js';
import { Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import type { AccuracyLevel } from '../ops/quantized.js';
import { openCheckpoint } from '../safetensors/checkpoint.js';
import type { TensorReader } from '../safetensors/reader.js';
import { isDryLoad } from '../weights/dry-load.js';
import { compileKeyMap, identityKeyMap, type KeyMap } from '../weights/key-map.js';
import { type LoadReport, type LoadWeightsOptions, loadWeights } from '../weights/load-weights.js';
import { type BitsAndBytesWeight, bitsAndBytesWeights } from './bits-and-bytes.js';
import { parseQuantizationConfig, type QuantizationConfig, type QuantizationConfigInput } from './config.js';
import type { MatrixShape } from './nbits.js';
import { QuantizedWeight } from './quantized-weight.js';

/** Options of {@link loadQuantizedWeights}. */
export interface LoadQuantizedOptions extends LoadWeightsOptions {
  /** How exact products with quantized weights are, see `matmulNBits`. Default: 1, exact. */
  readonly accuracyLevel?: AccuracyLevel;
}

const ownSuffix = '.quantization';

/**
 * Loads a checkpoint in which weights of linear layers may be quantized: by `saveWeights` of a module with quantized
 * weights, or by bitsandbytes (4 and 8 bits). The layers it concerns get a {@link QuantizedWeight} of the stored format;
 * codes are read as they are. All else is as with {@link loadWeights}.
 *
 * @throws CheckpointError for quantized weights that are damaged, or of no linear layer; WeightMismatchError as
 *   `loadWeights`; before any of the values are read
 */
export async function loadQuantizedWeights(
  module: Module,
  checkpoint: string | TensorReader,
  options: LoadQuantizedOptions = {},
): Promise<LoadReport> {
  if (typeof checkpoint !== 'string') return loadFrom(module, checkpoint, options);
  const reader = await openCheckpoint(checkpoint);
  try {
    return await loadFrom(module, reader, options);
  } finally {
    await reader.close();
  }
}

async function loadFrom(
  module: Module,
  reader: TensorReader,
  { accuracyLevel = 1, ...options }: LoadQuantizedOptions,
): Promise<LoadReport> {
  const { keyMap = identityKeyMap, prefix = '' } = options;
  const keys = reader.keys().filter((key) => key.startsWith(prefix));
  const own = await Promise.all(
    keys
      .filter((key) => key.endsWith(ownSuffix))
      .map(async (key) => {
        const layer = layerAt(module, key, key.slice(prefix.length, -ownSuffix.length));
        return { layer, config: await ownConfig(reader, key) };
      }),
  );
  const foreign = (await bitsAndBytesWeights(reader))
    .filter(({ key }) => key.startsWith(prefix))
    .map((stored) => {
      const path = pathOf(stored.key.slice(prefix.length), keyMap);
      return { stored, path, layer: layerAt(module, stored.key, path, stored.shape) };
    });
  for (const { layer, config } of own) adopt(layer, config, accuracyLevel);
  const taken = foreign.map(({ stored, path, layer }) => ({
    stored,
    path,
    weight: adopt(layer, stored.config, accuracyLevel),
  }));
  return taken.length === 0 ? loadWeights(module, reader, options) : loadBoth(module, reader, taken, options);
}

interface Taken {
  readonly stored: BitsAndBytesWeight;
  readonly path: string;
  readonly weight: QuantizedWeight;
}

/** Loads everything but what bitsandbytes stored, which is not there for it, and that afterwards. */
async function loadBoth(
  module: Module,
  reader: TensorReader,
  taken: readonly Taken[],
  { onProgress, keyMap = identityKeyMap, ...options }: LoadWeightsOptions,
): Promise<LoadReport> {
  const hidden = new Set(taken.flatMap(({ stored }) => stored.keys));
  const rest = { ...reader, keys: () => reader.keys().filter((key) => !hidden.has(key)) };
  const names = new Set(
    taken.flatMap(({ path, weight }) => [
      path,
      ...Object.keys(weight.namedParameters()).map((name) => `${path}.${name}`),
    ]),
  );
  const bytesOf = ({ keys }: BitsAndBytesWeight) => keys.reduce((sum, key) => sum + reader.info(key).byteLength, 0);
  const later = { tensors: hidden.size, bytes: taken.reduce((sum, { stored }) => sum + bytesOf(stored), 0) };
  const report = await loadWeights(module, rest, {
    ...options,
    keyMap: { ...keyMap, optional: [...(keyMap.optional ?? []), exactly(names)] },
    ...(onProgress && {
      onProgress: ({ key, tensors, bytes }) =>
        onProgress({
          key,
          tensors: { done: tensors.done, total: tensors.total + later.tensors },
          bytes: { done: bytes.done, total: bytes.total + later.bytes },
        }),
    }),
  });
  if (isDryLoad()) return report;
  const total = { tensors: report.tensors + later.tensors, bytes: report.bytes + later.bytes };
  const done = { tensors: report.tensors, bytes: report.bytes };
  for (const { stored, weight } of taken) {
    weight.setParts(await stored.read());
    done.tensors += stored.keys.length;
    done.bytes += bytesOf(stored);
    onProgress?.({
      key: stored.key,
      tensors: { done: done.tensors, total: total.tensors },
      bytes: { done: done.bytes, total: total.bytes },
    });
  }
  return { ...report, ...total, kept: report.kept.filter((name) => !names.has(name)) };
}

/** A pattern of these names and no others. */
function exactly(names: ReadonlySet<string>): RegExp {
  return new RegExp(`^(?:${[...names].map((name) => name.replaceAll('.', '\\.')).join('|')})$`);
}

async function ownConfig(reader: TensorReader, key: string): Promise<QuantizationConfig> {
  const text = new TextDecoder().decode(await reader.readBytes(key));
  try {
    return parseQuantizationConfig(JSON.parse(text) as QuantizationConfigInput);
  } catch (cause) {
    throw new CheckpointError({
      operation: 'load quantized weights',
      key,
      expected: 'the configuration of a quantized weight as JSON',
      received: text.slice(0, 200),
      remedy: 'The file may be damaged, or of a later version.',
      cause,
    });
  }
}

/** The parameter that a stored tensor is, by the rules of a key map. */
function pathOf(key: string, keyMap: KeyMap): string {
  const [role] = compileKeyMap(keyMap).rolesOf(key);
  const [path] = role!.parameters;
  if (role!.parameters.length === 1 && !role!.layout) return path!;
  throw new CheckpointError({
    operation: 'load quantized weights',
    key,
    expected: 'codes of one weight',
    received: `codes that pack ${role!.parameters.join(', ')} together`,
    remedy: 'Load the checkpoint of floats, and quantize it with prepareQuantized or quantizeModule.',
  });
}

/** The linear layer that a weight is of. */
function layerAt(module: Module, key: string, path: string, shape?: readonly number[]): Linear {
  const layerPath = path.replace(/(^|\.)weight$/, '');
  const layer = layerPath === path ? undefined : module.namedModules()[layerPath];
  const operation = `load quantized weights into ${module.constructor.name}`;
  const remedy = 'Check that the checkpoint belongs to this configuration.';
  if (!(layer instanceof Linear)) {
    const received = `${path}, which is ${layer ? `one of a ${layer.constructor.name}` : 'not there'}`;
    throw new CheckpointError({ operation, key, expected: 'the weight of a linear layer', received, remedy });
  }
  const expected = layer.weight.shape;
  if (shape && !sameShape(shape, expected)) {
    const received = formatShape(shape);
    throw new CheckpointError({ operation, key, expected: `a weight ${formatShape(expected)}`, received, remedy });
  }
  return layer;
}

/** The layer's quantized weight, which it gets if it has none of this format. */
function adopt(layer: Linear, config: QuantizationConfig, accuracyLevel: AccuracyLevel): QuantizedWeight {
  const present = layer.weight;
  if (present instanceof QuantizedWeight && JSON.stringify(present.config) === JSON.stringify(config)) return present;
  const weight = new QuantizedWeight(present.shape as MatrixShape, config, { accuracyLevel });
  layer.setWeight(weight);
  return weight;
}
