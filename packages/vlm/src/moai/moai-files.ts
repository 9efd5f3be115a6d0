import { join } from 'node:path';
import {
  CheckpointError,
  type FetchOptions,
  fetchCheckpoint,
  type LoadProgress,
  loadWeights,
  OcelliError,
  readJsonFile,
  type SaveWeightsOptions,
  saveWeights,
  writeFileAtomically,
} from '@ocelli/core-tensor';
import { clipVisionConfigs } from '@ocelli/encoders';
import { llamaConfigFromHuggingFace } from '@ocelli/language';
import type { MoaiConfigInput } from './config.js';
import { moaiKeyMap } from './key-map.js';
import { MoaiModel } from './moai-model.js';

const configName = 'config.json';
const type = 'moai';

/** Options of {@link loadMoai}. */
export interface LoadMoaiOptions {
  /** How a model is downloaded. */
  readonly hub?: FetchOptions;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * A model in a folder: the published one (`BK-Lee/MoAI-7B`, also by its id on the Hugging Face hub), or one that
 * {@link saveMoai} wrote. Weights become float32.
 *
 * @throws CheckpointError if a file is missing or malformed, the configuration is of another kind of model, or tensors
 *   are missing, unexpected or misshapen (all are listed)
 */
export async function loadMoai(idOrFolder: string, { hub, ...options }: LoadMoaiOptions = {}): Promise<MoaiModel> {
  const operation = 'loadMoai';
  const folder = await fetchCheckpoint(idOrFolder, hub);
  const file = join(folder, configName);
  const json = await readJsonFile(file, operation);
  const model = createModel(file, json);
  await loadWeights(model, folder, { operation, keyMap: moaiKeyMap(model), ...options });
  return model;
}

/**
 * Writes a model into a folder: `config.json`, and safetensors with the published names, sharded where large.
 *
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveMoai(
  folder: string,
  model: MoaiModel,
  options: Omit<SaveWeightsOptions, 'keyMap'> = {},
): Promise<void> {
  await saveWeights(folder, model, { ...options, keyMap: moaiKeyMap(model) });
  const content = JSON.stringify({ type, ...model.config }, undefined, 2);
  await writeFileAtomically(join(folder, configName), `${content}\n`);
}

/**
 * The model that a published `config.json` describes: InternLM2 of its sizes, with all else as in MoAI-7B.
 *
 * @param json the parsed file
 * @throws ConfigError if a field is invalid
 */
export function moaiConfigFromHuggingFace(json: unknown): MoaiConfigInput {
  const { img_size: imageSize = 490, ...language } = json as { img_size?: number };
  return {
    language: llamaConfigFromHuggingFace({ ...language, model_type: 'internlm2' }),
    vision: { ...clipVisionConfigs['clip-vit-large-patch14-336'], imageSize },
  };
}

function createModel(file: string, json: unknown): MoaiModel {
  try {
    const { type: written, ...own } = json as { type?: unknown } & MoaiConfigInput;
    return new MoaiModel(written === type ? own : moaiConfigFromHuggingFace(json));
  } catch (cause) {
    if (!(cause instanceof OcelliError)) throw cause;
    throw new CheckpointError({
      operation: 'loadMoai',
      file,
      expected: 'the configuration of a MoAI model',
      received: cause.message,
      remedy: 'Name a folder that saveMoai wrote, or the published model.',
      cause,
    });
  }
}
