import { access } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointReader,
  type FetchOptions,
  fetchCheckpoint,
  type LoadProgress,
  loadWeights,
  openCheckpoint,
  readJsonFile,
} from '@ocelli/core-tensor';
import { decoderArchitectures } from './architectures.js';
import { decoderTypeOf, llamaConfigFromHuggingFace } from './hugging-face-config.js';
import { metaLlamaKeyMap } from './key-map.js';
import { Llama } from './llama.js';
import { llamaConfigFromMeta } from './meta-config.js';

/** Options of {@link loadLlama}. */
export interface LoadLlamaOptions {
  /** How a model is downloaded. */
  readonly hub?: FetchOptions;
  readonly onProgress?: (progress: LoadProgress) => void;
}

const operation = 'loadLlama';

/**
 * A model with published weights, which become float32, whatever float type they have. Takes a folder with safetensors
 * files and a `config.json` of type `llama`, `qwen2` or `internlm2`, or with Meta's `params.json` and names of tensors;
 * or the id of such a model on the Hugging Face hub, which is downloaded first.
 *
 * @throws CheckpointError if a file is missing or malformed, or lists tensors that are missing, unexpected or misshapen
 * @throws ConfigError if `config.json` describes another kind of model
 */
export async function loadLlama(idOrFolder: string, { hub, onProgress }: LoadLlamaOptions = {}): Promise<Llama> {
  const folder = await fetchCheckpoint(idOrFolder, hub);
  const progress = onProgress ? { onProgress } : {};
  if (!(await exists(join(folder, 'config.json'))) && (await exists(join(folder, 'params.json')))) {
    return loadMeta(folder, progress);
  }
  const json = await readJsonFile(join(folder, 'config.json'), operation);
  const model = new Llama(llamaConfigFromHuggingFace(json));
  const { keyMap } = decoderArchitectures[decoderTypeOf(json)];
  await loadWeights(model, folder, { operation, keyMap: keyMap(model.config), ...progress });
  return model;
}

async function loadMeta(folder: string, progress: Pick<LoadLlamaOptions, 'onProgress'>): Promise<Llama> {
  const json = await readJsonFile(join(folder, 'params.json'), operation);
  const consolidated = join(folder, 'consolidated.safetensors');
  const reader = await openCheckpoint((await exists(consolidated)) ? consolidated : folder);
  try {
    const model = new Llama(llamaConfigFromMeta(json, vocabSizeOf(reader)));
    await loadWeights(model, reader, { operation, keyMap: metaLlamaKeyMap(model.config), ...progress });
    return model;
  } finally {
    await reader.close();
  }
}

function vocabSizeOf(reader: CheckpointReader): number {
  return reader.info('tok_embeddings.weight').shape[0] ?? 0;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
