import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointReader, openCheckpoint } from '@ocelli/core-tensor';

/** Names of the weights where a folder does not have those of Hugging Face: of PEFT, Meta and open_clip. */
const otherNames = [
  'adapter_model.safetensors',
  'consolidated.safetensors',
  'open_clip_model.safetensors',
  'open_clip_pytorch_model.safetensors',
];

/**
 * Opens the weights of a folder, or a safetensors file or index itself.
 *
 * @throws CheckpointError if there are none, or a file is malformed
 */
export async function openWeights(path: string): Promise<CheckpointReader> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json', ...otherNames]) {
    const file = join(path, name);
    if (await exists(file)) return openCheckpoint(file);
  }
  return openCheckpoint(path);
}

export function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
