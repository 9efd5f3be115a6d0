import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnyTypedArray, convert, type DType, type TypedArrayOf } from '../dtype.js';
import { ConfigError } from '../errors.js';
import type { Module, NamedParameters } from '../nn/module.js';
import { fileError } from '../safetensors/file-error.js';
import type { TensorSource } from '../safetensors/format.js';
import { sizeSources } from '../safetensors/sources.js';
import { type StagedFile, stageFile } from '../safetensors/staged-file.js';
import { stageSafetensors } from '../safetensors/writer.js';
import { type AdaptedLayer, adaptedLayers, adapterParameters } from './adapted-layers.js';
import { trainedBeside } from './apply-lora.js';
import { type LoraConfigInput, parseLoraConfig } from './config.js';
import { isLoraMerged } from './merge-lora.js';
import { loraConfigToPeft } from './peft-config.js';
import { adapterEntries, modelEntries, peftFiles } from './peft-names.js';
import { type LoraTargets, loraTargets } from './targets.js';

/** Options of {@link saveLora}. */
export interface SaveLoraOptions {
  /** Of the tensors in the files. Default: `float32`. */
  readonly dtype?: 'float32' | 'float16' | 'bfloat16';
}

/**
 * Writes a model's adapters as a folder that PEFT loads: `adapter_config.json` and `adapter_model.safetensors`, with the
 * biases and modules that the configuration trains. What else trains in the model, such as a projector, goes to
 * `non_lora_trainables.safetensors` beside them, named as in LLaVA's file of that name.
 *
 * @param config what `applyLora` returned
 * @throws ConfigError if the adapters on the model are not those of the configuration, or are merged
 * @throws CheckpointError naming the file that cannot be written; an adapter that was there is as before then
 */
export async function saveLora(
  folder: string,
  module: Module,
  config: LoraConfigInput,
  { dtype = 'float32' }: SaveLoraOptions = {},
): Promise<void> {
  const parsed = parseLoraConfig(config);
  if (isLoraMerged(module)) {
    throw new ConfigError({
      operation: 'saveLora',
      expected: 'adapters beside the weights',
      received: 'adapters that are merged into them',
      remedy: 'Take them out with unmergeLora, or save the whole model.',
    });
  }
  const targets = loraTargets(module, parsed, 'saveLora');
  const layers = adaptedLayers(module);
  requireSame(layers, targets);
  const beside = trainedBeside(module, parsed, targets);
  const adapter = { ...adapterEntries(layers), ...modelEntries(beside, layers) };
  const others = modelEntries(othersOf(module, beside), layers);
  const found = targets.targetModules;
  const json = loraConfigToPeft({ ...parsed, targetModules: typeof found === 'string' ? found : [...found] });
  await write(folder, { json, adapter, others }, dtype);
}

/** Parameters that train and are neither an adapter's nor named by the configuration. */
function othersOf(module: Module, beside: NamedParameters): NamedParameters {
  const known = new Set([...adapterParameters(module), ...Object.values(beside)]);
  return Object.fromEntries(Object.entries(module.trainableParameters()).filter(([, each]) => !known.has(each)));
}

function requireSame(layers: readonly AdaptedLayer[], targets: LoraTargets): void {
  const described = (path: string, rank: number, scaling: number) => `${path} (r ${rank}, scaling ${scaling})`;
  const present = layers.map(({ path, adapter }) => described(path, adapter.rank, adapter.scaling));
  const wanted = targets.layers.map(({ path, rank, scaling }) => described(path, rank, scaling));
  const missing = wanted.filter((each) => !present.includes(each));
  const unexpected = present.filter((each) => !wanted.includes(each));
  if (missing.length === 0 && unexpected.length === 0) return;
  const list = (what: string, names: readonly string[]) => (names.length > 0 ? [`${what}: ${names.join(', ')}`] : []);
  throw new ConfigError({
    operation: 'saveLora',
    expected: 'the adapters of the configuration on the model',
    received: [...list('missing', missing), ...list('unexpected', unexpected)].join(' | '),
    remedy: 'Pass the configuration that applyLora or loadLora returned.',
  });
}

interface Contents {
  readonly json: unknown;
  readonly adapter: NamedParameters;
  readonly others: NamedParameters;
}

/** Everything is complete on disk before anything gets its name; the configuration, which is read first, comes last. */
async function write(folder: string, { json, adapter, others }: Contents, dtype: DType): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw fileError('write', folder, 'a folder for the adapter', cause);
  });
  const staged: StagedFile[] = [];
  const hasOthers = Object.keys(others).length > 0;
  try {
    staged.push(await stageWeights(join(folder, peftFiles.weights), adapter, dtype));
    if (hasOthers) staged.push(await stageWeights(join(folder, peftFiles.others), others, dtype));
    const text = new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`);
    staged.push(await stageFile(join(folder, peftFiles.config), (append) => append(text)));
    for (const file of staged) await file.commit();
  } catch (error) {
    await Promise.all(staged.map((file) => file.discard()));
    throw error;
  }
  if (hasOthers) return;
  const old = join(folder, peftFiles.others);
  await rm(old, { force: true }).catch((cause: unknown) => {
    throw fileError('write', old, 'to remove what an earlier adapter had beside it', cause);
  });
}

function stageWeights(file: string, parameters: NamedParameters, dtype: DType): Promise<StagedFile> {
  const sources = Object.entries(parameters).map(([key, parameter]) => {
    const data = async (): Promise<AnyTypedArray> =>
      convert((await parameter.data()) as TypedArrayOf<DType>, parameter.dtype, dtype);
    // Dtype and data belong together, which the compiler cannot see.
    return [key, { dtype, shape: parameter.shape, data } as TensorSource] as const;
  });
  return stageSafetensors(file, sizeSources(file, sources), { format: 'pt' });
}
