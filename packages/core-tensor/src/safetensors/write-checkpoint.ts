import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import { fileError } from './file-error.js';
import type { TensorSources } from './format.js';
import { formatIndexFile, indexFileName, readIndexFile, singleFileName } from './index-file.js';
import { defaultShardBytes, planShards } from './shards.js';
import { type SizedSource, sizeSources } from './sources.js';
import { type StagedFile, stageFile } from './staged-file.js';
import { stageSafetensors, type WriteOptions } from './writer.js';

/** How a checkpoint is written. */
export interface WriteCheckpointOptions extends WriteOptions {
  /** Largest size of a shard's data in bytes. Default: 5·10⁹, as Hugging Face libraries. */
  readonly maxShardBytes?: number;
}

/** What was written. */
export interface WrittenCheckpoint {
  /** Paths of the safetensors files. */
  readonly files: readonly string[];
  /** Path of the index; absent where there is a single file. */
  readonly index?: string;
  /** Bytes of all tensors. */
  readonly totalBytes: number;
}

/**
 * Writes a checkpoint in the layout of Hugging Face: `model.safetensors`, or shards and their index where one file
 * would exceed `maxShardBytes`. The folder is created where needed; other files in it are left alone.
 *
 * Everything is complete on disk under temporary names before anything gets its own name, and the index comes last,
 * so that a reader finds the old checkpoint, the new one, or (where new shards replace old ones of the same name, for
 * the moment of the renames) none; never a mixture. Files of the old checkpoint that the new one does not use are
 * removed at the end.
 *
 * @param metadata of every file; `{ format: 'pt' }` by default, without which Hugging Face libraries refuse to load
 * @throws CheckpointError where a tensor does not match its dtype and shape, or a file cannot be written; temporary
 *   files are removed then
 */
export async function writeCheckpoint(
  folder: string,
  tensors: TensorSources,
  { metadata = { format: 'pt' }, maxShardBytes = defaultShardBytes }: WriteCheckpointOptions = {},
): Promise<WrittenCheckpoint> {
  if (!Number.isSafeInteger(maxShardBytes) || maxShardBytes < 1) {
    throw new ConfigError({
      operation: 'writeCheckpoint',
      expected: 'maxShardBytes as a positive number of bytes',
      received: String(maxShardBytes),
    });
  }
  const sized = sizeSources(folder, tensors);
  const byteLengths = new Map([...sized].map(([name, { byteLength }]) => [name, byteLength]));
  const totalBytes = [...byteLengths.values()].reduce((sum, bytes) => sum + bytes, 0);
  const plan = planShards(byteLengths, maxShardBytes);
  await makeFolder(folder);
  const old = await oldFiles(folder);
  const staged = await stageShards(folder, plan, sized, metadata);
  const files = [...plan.keys()].map((name) => join(folder, name));
  const index = join(folder, indexFileName);
  if (plan.size === 1) {
    await commitAll(staged);
    await removeFiles(folder, [indexFileName, ...old.shards]);
    return { files, totalBytes };
  }
  const weightMap = new Map([...plan].flatMap(([file, names]) => names.map((name) => [name, file])));
  try {
    staged.push(await stageText(index, formatIndexFile(totalBytes, weightMap)));
    if (old.shards.some((name) => plan.has(name))) {
      await removeFiles(folder, [indexFileName]);
    }
  } catch (error) {
    await discardAll(staged);
    throw error;
  }
  await commitAll(staged);
  await removeFiles(folder, [...(old.single ? [singleFileName] : []), ...old.shards.filter((name) => !plan.has(name))]);
  return { files, index, totalBytes };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw fileError('write', folder, 'a folder for the checkpoint', cause);
  }
}

/** Files in the folder that belong to an earlier checkpoint. */
async function oldFiles(folder: string): Promise<{ single: boolean; shards: readonly string[] }> {
  const exists = (name: string) =>
    stat(join(folder, name)).then(
      () => true,
      () => false,
    );
  const single = await exists(singleFileName);
  if (!(await exists(indexFileName))) {
    return { single, shards: [] };
  }
  // An index that cannot be read lists nothing that could be removed; the new one replaces it.
  const weightMap = await readIndexFile(join(folder, indexFileName)).catch(() => new Map<string, string>());
  const shards = [...new Set(weightMap.values())].filter((name) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name));
  return { single, shards };
}

function stageText(path: string, text: string): Promise<StagedFile> {
  return stageFile(path, (append) => append(new TextEncoder().encode(text)));
}

async function stageShards(
  folder: string,
  plan: ReadonlyMap<string, readonly string[]>,
  sized: ReadonlyMap<string, SizedSource>,
  metadata: WriteOptions['metadata'],
): Promise<StagedFile[]> {
  const staged: StagedFile[] = [];
  try {
    for (const [file, names] of plan) {
      const part = new Map(names.map((name) => [name, sized.get(name)!]));
      staged.push(await stageSafetensors(join(folder, file), part, metadata));
    }
  } catch (error) {
    await discardAll(staged);
    throw error;
  }
  return staged;
}

async function discardAll(staged: readonly StagedFile[]): Promise<void> {
  await Promise.all(staged.map((file) => file.discard()));
}

async function commitAll(staged: readonly StagedFile[]): Promise<void> {
  try {
    for (const file of staged) {
      await file.commit();
    }
  } catch (error) {
    await discardAll(staged);
    throw error;
  }
}

async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    try {
      await rm(path, { force: true });
    } catch (cause) {
      throw fileError('write', path, 'to remove a file of the old checkpoint', cause);
    }
  }
}
