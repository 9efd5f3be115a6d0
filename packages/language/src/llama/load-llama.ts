import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, openCheckpoint, type StateEntry } from '@ocelli/core-tensor';
import { llamaConfigFromHuggingFace } from './hugging-face-config.js';
import { Llama } from './llama.js';

/** Buffers that old checkpoints hold and that follow from the configuration. */
const computed = /\.rotary_emb\.inv_freq$/;

/**
 * A model from a folder in Hugging Face's layout: `config.json` of type `llama` or `qwen2`, and safetensors files.
 * Weights of any type become float32.
 *
 * @throws CheckpointError if a file is missing or malformed, or lists tensors that are missing, unexpected or misshapen
 * @throws ConfigError if `config.json` describes another kind of model
 */
export async function loadLlama(folder: string): Promise<Llama> {
  const model = new Llama(llamaConfigFromHuggingFace(await readConfig(join(folder, 'config.json'))));
  const checkpoint = await openCheckpoint(folder);
  try {
    const state: Record<string, StateEntry> = {};
    for (const key of checkpoint.keys()) {
      // Where the head is tied, the token table wins over a stored head.
      const isTiedHead = key === 'lm_head.weight' && model.config.tieWordEmbeddings;
      if (!computed.test(key) && !isTiedHead) state[key] = await checkpoint.read(key, { as: 'float32' });
    }
    model.loadState(state);
  } finally {
    await checkpoint.close();
  }
  return model;
}

async function readConfig(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CheckpointError({
      operation: 'loadLlama',
      file,
      expected: 'a JSON file',
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
