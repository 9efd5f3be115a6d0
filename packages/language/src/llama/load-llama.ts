import { join } from 'node:path';
import { loadWeights, readJsonFile } from '@ocelli/core-tensor';
import { decoderArchitectures } from './architectures.js';
import { decoderTypeOf, llamaConfigFromHuggingFace } from './hugging-face-config.js';
import { Llama } from './llama.js';

/**
 * A model from a folder in Hugging Face's layout: `config.json` of type `llama`, `qwen2` or `internlm2`, and safetensors
 * files. Weights of any float type become float32.
 *
 * @throws CheckpointError if a file is missing or malformed, or lists tensors that are missing, unexpected or misshapen
 * @throws ConfigError if `config.json` describes another kind of model
 */
export async function loadLlama(folder: string): Promise<Llama> {
  const json = await readJsonFile(join(folder, 'config.json'), 'loadLlama');
  const model = new Llama(llamaConfigFromHuggingFace(json));
  const { keyMap } = decoderArchitectures[decoderTypeOf(json)];
  await loadWeights(model, folder, { operation: 'loadLlama', keyMap: keyMap(model.config) });
  return model;
}
