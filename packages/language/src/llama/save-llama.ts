import { join } from 'node:path';
import { type SaveWeightsOptions, saveWeights, type WrittenCheckpoint, writeFileAtomically } from '@ocelli/core-tensor';
import { type DecoderType, decoderArchitectures } from './architectures.js';
import type { Llama } from './llama.js';
import { decoderTypeFor, llamaConfigToHuggingFace } from './to-hugging-face.js';

/** Options of {@link saveLlama}. */
export interface SaveLlamaOptions extends Omit<SaveWeightsOptions, 'keyMap'> {
  /** The family whose names and packing the files have. Default: the one whose class computes the model. */
  readonly type?: DecoderType;
  /** Further fields of `config.json`, such as `eos_token_id`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a model into a folder that Hugging Face's library loads: `config.json` and safetensors, sharded where large.
 *
 * @throws ConfigError if the family has no such model; nothing is written then
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveLlama(
  folder: string,
  model: Llama,
  { type = decoderTypeFor(model.config), config, dtype, ...options }: SaveLlamaOptions = {},
): Promise<WrittenCheckpoint> {
  const structure = llamaConfigToHuggingFace(model.config, type);
  const keyMap = decoderArchitectures[type].keyMap(model.config);
  const written = await saveWeights(folder, model, { ...options, keyMap, ...(dtype && { dtype }) });
  const content = { ...structure, ...config, torch_dtype: dtype ?? 'float32' };
  await writeFileAtomically(join(folder, 'config.json'), `${JSON.stringify(content, undefined, 2)}\n`);
  return written;
}
