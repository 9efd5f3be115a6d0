import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError } from '../errors.js';
import { fileError } from './file-error.js';
import { indexFileName, readIndexFile, singleFileName } from './index-file.js';
import { openSafetensors, type ReadOptions, type SafetensorsReader, type TensorReader, unknownKey } from './reader.js';

/** A checkpoint of one or more files. */
export interface CheckpointReader extends TensorReader {
  /** Paths of its safetensors files, in the order of their first tensor. */
  readonly files: readonly string[];
  /** Path of the file that holds a tensor. */
  fileOf(key: string): string;
}

const operation = 'open checkpoint';

/**
 * Opens a checkpoint in the layout of Hugging Face: a folder with `model.safetensors`, or with
 * `model.safetensors.index.json` and the shards it lists (where both are present, the single file is read); or such an
 * index or a safetensors file itself. All headers are read and checked against the index.
 *
 * @throws CheckpointError where a file is missing or malformed, a shard lacks a tensor that the index expects of it,
 *   or a shard holds a tensor that the index does not list
 */
export async function openCheckpoint(path: string): Promise<CheckpointReader> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw fileError(operation, path, 'a folder or file', cause);
  }
  const file = isFolder ? await findInFolder(path) : path;
  if (file.endsWith('.json')) {
    return openShards(file);
  }
  const reader = await openSafetensors(file);
  return { ...reader, files: [file], fileOf: (key) => reader.info(key) && file };
}

async function findInFolder(folder: string): Promise<string> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw fileError(operation, folder, 'a folder that can be read', cause);
  }
  const name = [singleFileName, indexFileName].find((candidate) => names.includes(candidate));
  if (name !== undefined) {
    return join(folder, name);
  }
  const others = names.filter((candidate) => /\.safetensors(\.index\.json)?$/.test(candidate)).sort();
  const pickles = names.filter((candidate) => /\.(bin|pth|pt)(\.index\.json)?$/.test(candidate)).sort();
  const found = [...others, ...pickles];
  throw new CheckpointError({
    operation,
    file: folder,
    expected: `${singleFileName} or ${indexFileName} in the folder`,
    received: found.length === 0 ? 'neither' : `only ${found.slice(0, 5).join(', ')}`,
    remedy:
      others.length > 0
        ? 'Open one of these files by its own path.'
        : pickles.length > 0
          ? 'Convert the PyTorch files to safetensors first: pickles are programs, and are not executed here.'
          : 'Check the path, or download the weights.',
  });
}

async function openShards(indexFile: string): Promise<CheckpointReader> {
  const weightMap = await readIndexFile(indexFile);
  const shards = new Map<string, SafetensorsReader>();
  const close = async () => {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
  };
  try {
    for (const name of new Set(weightMap.values())) {
      shards.set(name, await openSafetensors(join(dirname(indexFile), name)));
    }
    checkShards(indexFile, weightMap, shards);
  } catch (error) {
    await close();
    throw error;
  }
  const names = [...weightMap.keys()];
  const shardOf = (key: string): SafetensorsReader => {
    const shard = shards.get(weightMap.get(key) ?? '');
    if (shard === undefined) {
      throw unknownKey(indexFile, key, names);
    }
    return shard;
  };
  return {
    files: [...shards.values()].map((shard) => shard.path),
    fileOf: (key) => shardOf(key).path,
    metadata: shards.values().next().value?.metadata ?? {},
    keys: () => names,
    has: (key) => weightMap.has(key),
    info: (key) => shardOf(key).info(key),
    read: (async (key: string, options?: ReadOptions) => shardOf(key).read(key, options)) as TensorReader['read'],
    readInto: async (key, target, options) => shardOf(key).readInto(key, target, options),
    readRange: (async (key: string, begin: number, end: number, options?: ReadOptions) =>
      shardOf(key).readRange(key, begin, end, options)) as TensorReader['readRange'],
    readBytes: async (key, begin, end) => shardOf(key).readBytes(key, begin, end),
    close,
  };
}

/** Index and shards list the same tensors. */
function checkShards(
  indexFile: string,
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, SafetensorsReader>,
): void {
  for (const [key, name] of weightMap) {
    const shard = shards.get(name);
    if (shard === undefined || !shard.has(key)) {
      throw new CheckpointError({
        operation,
        file: shard?.path ?? indexFile,
        key,
        expected: 'the tensor that the index lists for this file',
        received: 'a file without it',
        remedy: 'Download the shard and the index again: they belong to different checkpoints.',
      });
    }
  }
  for (const [name, shard] of shards) {
    const extra = shard.keys().find((key) => weightMap.get(key) !== name);
    if (extra !== undefined) {
      throw new CheckpointError({
        operation,
        file: shard.path,
        key: extra,
        expected: 'only tensors that the index lists for this file',
        received: `one that the index lists ${weightMap.has(extra) ? `for ${weightMap.get(extra)}` : 'nowhere'}`,
        remedy: 'Download the shard and the index again: they belong to different checkpoints.',
      });
    }
  }
}
