import { join } from 'node:path';
import {
  CheckpointError,
  type FetchOptions,
  fetchCheckpoint,
  type LoadProgress,
  loadWeights,
  OcelliError,
  readJsonFile,
} from '@ocelli/core-tensor';
import { clipVisionConfigs } from '@ocelli/encoders';
import { llamaConfigFromHuggingFace } from '@ocelli/language';
import { loadModel } from '../model-files.js';
import type { MoaiConfigInput } from './config.js';
import { moaiKeyMap } from './key-map.js';
import { MoaiModel } from './moai-model.js';

/** Options of {@link loadMoai}. */
export interface LoadMoaiOptions {
  /** How a model is downloaded. */
  readonly hub?: FetchOptions;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * A model in a folder: the published one (`BK-Lee/MoAI-7B`, also by its id on the Hugging Face hub), or one that
 * `saveModel` wrote. Weights become float32.
 *
 * @throws CheckpointError if a file is missing or malformed, the configuration is of another kind of model, or tensors
 *   are missing, unexpected or misshapen (all are listed)
 */
export async function loadMoai(idOrFolder: string, { hub, onProgress }: LoadMoaiOptions = {}): Promise<MoaiModel> {
  const operation = 'loadMoai';
  const folder = await fetchCheckpoint(idOrFolder, hub);
  const file = join(folder, 'config.json');
  const json = await readJsonFile(file, operation);
  if (isOwn(json)) return loadModel(folder, { kind: 'moai', onProgress });
  const model = publishedModel(file, json);
  await loadWeights(model, folder, { operation, keyMap: moaiKeyMap(model), ...(onProgress && { onProgress }) });
  return model;
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

/** Whether a configuration is one of ours, of whatever model. */
function isOwn(json: unknown): boolean {
  return typeof (json as { readonly type?: unknown } | null)?.type === 'string';
}

function publishedModel(file: string, json: unknown): MoaiModel {
  try {
    return new MoaiModel(moaiConfigFromHuggingFace(json));
  } catch (cause) {
    if (!(cause instanceof OcelliError)) throw cause;
    throw new CheckpointError({
      operation: 'loadMoai',
      file,
      expected: 'the configuration of a MoAI model',
      received: cause.message,
      remedy: 'Name a folder that saveModel wrote, or the published model.',
      cause,
    });
  }
}
