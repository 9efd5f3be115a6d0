import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointReader, openCheckpoint } from '@ocelli/core-tensor';

/** What open_clip calls its files. */
const openClipFiles = ['open_clip_model.safetensors', 'open_clip_pytorch_model.safetensors'];

/**
 * Opens the weights of a folder in the layout of Hugging Face or open_clip, or a safetensors file or index itself.
 *
 * @throws CheckpointError if there are none, or a file is malformed
 */
export async function openWeights(path: string): Promise<CheckpointReader> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json', ...openClipFiles]) {
    const file = join(path, name);
    if (await exists(file)) return openCheckpoint(file);
  }
  return openCheckpoint(path);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
