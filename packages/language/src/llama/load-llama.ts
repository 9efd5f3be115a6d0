import { access } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointReader,
  type FetchOptions,
  fetchCheckpoint,
  type LoadProgress,
  loadQuantizedWeights,
  loadWeights,
  openCheckpoint,
  prepareQuantized,
  type QuantizeOptions,
  readJsonFile,
} from '@ocelli/core-tensor';
import { decoderArchitectures } from './architectures.js';
import type { LlamaConfig } from './config.js';
import { decoderTypeOf, llamaConfigFromHuggingFace } from './hugging-face-config.js';
import { metaLlamaKeyMap } from './key-map.js';
import { Llama } from './llama.js';
import { llamaConfigFromMeta } from './meta-config.js';

/** Options of {@link loadLlama}. */
export interface LoadLlamaOptions {
  /** How a model is downloaded. */
  readonly hub?: FetchOptions;
  /**
   * Quantizes the weights of the linear layers as they are read. Default: they are as stored; a checkpoint of few bits,
   * by `saveLlama` or bitsandbytes, is read as such.
   */
  readonly quantize?: QuantizeOptions;
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
export async function loadLlama(idOrFolder: string, { hub, ...options }: LoadLlamaOptions = {}): Promise<Llama> {
  const folder = await fetchCheckpoint(idOrFolder, hub);
  if (!(await exists(join(folder, 'config.json'))) && (await exists(join(folder, 'params.json')))) {
    return loadMeta(folder, options);
  }
  const json = await readJsonFile(join(folder, 'config.json'), operation);
  const model = createFor(llamaConfigFromHuggingFace(json), options);
  const keyMap = decoderArchitectures[decoderTypeOf(json)].keyMap(model.config);
  await loadQuantizedWeights(model, folder, { operation, keyMap, ...progressOf(options) });
  return model;
}

function createFor(config: LlamaConfig, { quantize }: LoadLlamaOptions): Llama {
  const model = new Llama(config);
  if (quantize) prepareQuantized(model, quantize);
  return model;
}

function progressOf({ onProgress }: LoadLlamaOptions): Pick<LoadLlamaOptions, 'onProgress'> {
  return onProgress ? { onProgress } : {};
}

async function loadMeta(folder: string, options: LoadLlamaOptions): Promise<Llama> {
  const json = await readJsonFile(join(folder, 'params.json'), operation);
  const consolidated = join(folder, 'consolidated.safetensors');
  const reader = await openCheckpoint((await exists(consolidated)) ? consolidated : folder);
  try {
    const model = createFor(llamaConfigFromMeta(json, vocabSizeOf(reader)), options);
    await loadWeights(model, reader, { operation, keyMap: metaLlamaKeyMap(model.config), ...progressOf(options) });
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
