import { copyFile, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prefixBytes, readHeaderLength, refusalOf } from '../../safetensors/header.js';
import { indexFileName, readIndexFile } from '../../safetensors/index-file.js';
import { isComplete } from './cache.js';
import { fetchModel } from './fetch-model.js';
import { selectWeights } from './select-files.js';
import {
  currentCommit,
  type FetchOptions,
  isModelId,
  listFiles,
  noModel,
  nothingToFetch,
  openFile,
  withHub,
} from './session.js';

/** A folder that looks like a checkpoint. */
export interface CheckpointOutline {
  readonly folder: string;
  /** Whether the weights are there, from an earlier download. */
  readonly hasWeights: boolean;
  /** Removes what was only put there for this. */
  remove(): Promise<void>;
}

/** Configurations, which decide about the structure. */
const structure = [/^[^/]*config\.json$/, /^params\.json$/, /^model\.safetensors\.index\.json$/];

/**
 * What can be known of a model of the hub without its weights: a folder with its configurations, and with files of
 * weights that have their headers and sizes but no data (and take no room on most disks). Names, dtypes and shapes can
 * be read from it; values are zero.
 *
 * @throws CheckpointError as `fetchCheckpoint`
 */
export async function fetchCheckpointOutline(
  id: string,
  options: Omit<FetchOptions, 'files'> = {},
): Promise<CheckpointOutline> {
  if (!isModelId(id)) throw noModel(id);
  return withHub(id, options, async (session) => {
    const commit = await currentCommit(session);
    const whole = session.cache.snapshot(commit);
    if (await isComplete(whole, undefined)) return { folder: whole, hasWeights: true, remove: async () => undefined };
    const files = await listFiles(session, commit);
    const paths = [...files.keys()];
    const known = paths.filter((path) => structure.some((pattern) => pattern.test(path)));
    const folder = await mkdtemp(join(tmpdir(), 'ocelli-outline-'));
    const remove = () => rm(folder, { recursive: true, force: true });
    try {
      if (known.length > 0) {
        const snapshot = await fetchModel({ ...session, revision: commit, options: { ...options, files: known } });
        await Promise.all(known.map((path) => copyFile(join(snapshot, path), join(folder, path))));
      }
      const shards = known.includes(indexFileName) ? (await readIndexFile(join(folder, indexFileName))).values() : [];
      const weights = selectWeights(paths, [...shards]);
      if (weights.length === 0) throw nothingToFetch(session.operation, paths, 'safetensors files');
      for (const path of weights) {
        await writeOutline(join(folder, path), await openFile(session, commit, path));
        options.signal?.throwIfAborted();
      }
      return { folder, hasWeights: false, remove };
    } catch (error) {
      await remove();
      throw error;
    }
  });
}

/** A file with the header of another one, and zeros for the rest of its size. */
async function writeOutline(file: string, contents: Blob): Promise<void> {
  const prefix = await bytesOf(contents.slice(0, prefixBytes));
  const length = readHeaderLength(prefix, contents.size, refusalOf(file));
  const header = await bytesOf(contents.slice(prefixBytes, prefixBytes + length));
  const handle = await open(file, 'wx');
  try {
    await handle.write(prefix);
    await handle.write(header);
    await handle.truncate(contents.size);
  } finally {
    await handle.close();
  }
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
