import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CheckpointError,
  ConfigError,
  type KeyMap,
  type LoadProgress,
  loadQuantizedWeights,
  loraParameters,
  quantizationOf,
  type SaveWeightsOptions,
  saveWeights,
  writeFileAtomically,
} from '@ocelli/core-tensor';
import { resolveEncoderFiles, type VisionEncoder } from '@ocelli/encoders';
import {
  type AssembledModel,
  createModelOf,
  type ModelKind,
  type ModelOf,
  modelKindOf,
  modelKinds,
  publishedNamesOf,
} from './model-kinds.js';

const configName = 'config.json';

/** Whether tensors have the names of the model's parameters, or those of the published checkpoints of its kind. */
export type TensorNames = 'own' | 'published';

/** Options of {@link saveModel}. */
export interface SaveModelOptions extends Pick<SaveWeightsOptions, 'dtype' | 'maxShardBytes'> {
  /** `published` for whoever reads the system's official code. Default: `own`. */
  readonly names?: TensorNames;
}

/** Options of {@link loadModel}. */
export interface LoadModelOptions<Kind extends ModelKind> {
  /** What kind of model it must be. Default: any. */
  readonly kind?: Kind | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/**
 * Writes a model of any kind into a folder: `config.json` with its kind as `type`, and safetensors. Encoders that are ONNX
 * graphs are copied into it instead, wherever in the model they are. Quantized weights are stored as they are. Files of
 * graphs come first, then the weights, and the configuration last.
 *
 * @throws ConfigError if there are low-rank adapters on the model, or published names are asked for where there are none
 *   or weights are quantized; nothing is written then
 * @throws CheckpointError naming the file that cannot be read or written
 */
export async function saveModel(
  folder: string,
  model: AssembledModel,
  { names = 'own', ...options }: SaveModelOptions = {},
): Promise<void> {
  requirePlain(model, names);
  const keyMap = keyMapOf(model, names);
  const outside = Object.entries(encodersInFiles(model));
  const copies = new Map<unknown, unknown>();
  for (const [index, [, encoder]] of outside.entries()) {
    copies.set(encoder.config, await encoder.copyFiles!(folder, index === 0 ? 'vision' : `vision-${index + 1}`));
  }
  await saveWeights(folder, model, { ...options, keyMap, omit: outside.map(([path]) => path) });
  const type = modelKindOf(model);
  const config = { type, ...(names === 'published' && { names }), ...replaced(model.config, copies) };
  await writeFileAtomically(join(folder, configName), `${JSON.stringify(config, undefined, 2)}\n`);
}

/**
 * Reads a model that {@link saveModel} wrote.
 *
 * @throws CheckpointError if the folder holds none, or one of another kind than is asked for, its configuration is
 *   invalid, or its weights do not fit it
 */
export async function loadModel<Kind extends ModelKind = ModelKind>(
  folder: string,
  { kind, onProgress }: LoadModelOptions<Kind> = {},
): Promise<ModelOf<Kind>> {
  const { model, names } = await readModel(folder, kind);
  const own = keyMapOf(model, names);
  const inFiles = Object.keys(encodersInFiles(model)).map((path) => new RegExp(`^${path.replaceAll('.', '\\.')}\\.`));
  const keyMap = { ...own, optional: [...(own.optional ?? []), ...inFiles] };
  const operation = `load into ${model.constructor.name}`;
  await loadQuantizedWeights(model, folder, { operation, keyMap, ...(onProgress && { onProgress }) });
  return model as ModelOf<Kind>;
}

/** Encoders of a model whose weights lie in files of their own, by their paths. */
function encodersInFiles(model: AssembledModel): Record<string, VisionEncoder> {
  const modules = Object.entries(model.namedModules());
  return Object.fromEntries(modules.filter(([, module]) => 'copyFiles' in module)) as unknown as Record<
    string,
    VisionEncoder
  >;
}

function keyMapOf(model: AssembledModel, names: TensorNames): KeyMap {
  return names === 'published' ? publishedNamesOf(model) : { rules: [] };
}

/** Plain data with some objects in it exchanged. */
function replaced<Data>(data: Data, by: ReadonlyMap<unknown, unknown>): Data {
  if (by.has(data)) return by.get(data) as Data;
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map((part) => replaced(part, by)) as Data;
  return Object.fromEntries(Object.entries(data).map(([field, part]) => [field, replaced(part, by)])) as Data;
}

function requirePlain(model: AssembledModel, names: TensorNames): void {
  const [adapted] = Object.keys(loraParameters(model));
  if (adapted !== undefined) {
    throw new ConfigError({
      operation: 'saveModel',
      expected: 'a model without low-rank adapters',
      received: `one with ${adapted}`,
      remedy: 'Save the adapters with saveLora, or merge them with mergeLora first.',
    });
  }
  const [quantized] = Object.keys(quantizationOf(model));
  if (quantized !== undefined && names === 'published') {
    throw new ConfigError({
      operation: 'saveModel',
      expected: 'a model with weights of floats, as it is to have published names',
      received: `one whose ${quantized} is quantized`,
      remedy: 'Save it under its own names, or use dequantizeModule first.',
    });
  }
}

interface StoredModel {
  readonly model: AssembledModel;
  readonly names: TensorNames;
}

async function readModel(folder: string, wanted: ModelKind | undefined): Promise<StoredModel> {
  const file = join(folder, configName);
  const usual = 'the configuration of a model';
  try {
    const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw new TypeError('no object');
    const { type = 'vision-language', names = 'own', ...config } = stored as Record<string, unknown>;
    if (names !== 'own' && names !== 'published') throw new TypeError(`names ${JSON.stringify(names)}`);
    if (wanted !== undefined && type !== wanted && Object.hasOwn(modelKinds, String(type))) {
      throw new TypeError(`that of a model of type ${JSON.stringify(type)}`);
    }
    const model = createModelOf(type as ModelKind, resolveEncoderFiles(config, folder) as never);
    return { model, names };
  } catch (cause) {
    throw new CheckpointError({
      operation: 'load model',
      file,
      expected: `${wanted === undefined ? usual : `${usual} of type ${wanted}`}, as JSON`,
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Name a folder that saveModel wrote.',
      cause,
    });
  }
}
