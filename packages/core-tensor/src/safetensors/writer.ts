import type { TensorSources } from './format.js';
import { bytesOfSource, headerOf, orderForAlignment, type SizedSource, sizeSources } from './sources.js';
import { type StagedFile, stageFile } from './staged-file.js';

/** What a file says about itself beside its tensors. */
export interface WriteOptions {
  /** Strings by name. Hugging Face libraries expect `{ format: 'pt' }` in the files they load. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Writes a whole file under a temporary name, tensor by tensor. */
export function stageSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SizedSource>,
  metadata: WriteOptions['metadata'],
): Promise<StagedFile> {
  return stageFile(path, async (append) => {
    const ordered = orderForAlignment(tensors);
    await append(headerOf(path, ordered, metadata));
    for (const [name, sized] of ordered) {
      await append(await bytesOfSource(path, name, sized));
    }
  });
}

/**
 * Writes a safetensors file. Tensors are written one after the other, those given as functions with one of them in
 * memory at a time; the file replaces an older one only when it is complete and on disk.
 *
 * @throws CheckpointError where a tensor does not match its dtype and shape, or the file cannot be written; nothing
 *   is left behind then
 */
export async function writeSafetensors(
  path: string,
  tensors: TensorSources,
  { metadata }: WriteOptions = {},
): Promise<void> {
  const staged = await stageSafetensors(path, sizeSources(path, tensors), metadata);
  await staged.commit();
}
