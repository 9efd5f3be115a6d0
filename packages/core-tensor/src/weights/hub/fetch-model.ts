import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { indexFileName, readIndexFile } from '../../safetensors/index-file.js';
import { isCommit, isComplete } from './cache.js';
import { downloadBlob, type RemoteFile } from './download.js';
import { isOffline } from './hub-error.js';
import { selectCompanions, selectMatching, selectWeights } from './select-files.js';
import { currentCommit, type HubSession, listFiles, missingFile, nothingToFetch, openFile } from './session.js';

/** Downloads what is not in the cache, and gives the folder of the snapshot. */
export async function fetchModel(session: HubSession): Promise<string> {
  const { operation, revision, options, cache } = session;
  const { files: patterns } = options;
  const known = await cache.commitOf(revision);
  const isKnownComplete = known !== undefined && (await isComplete(cache.snapshot(known), patterns));
  if (isCommit(revision) && isKnownComplete) return cache.snapshot(revision);
  let commit: string;
  try {
    commit = await currentCommit(session);
  } catch (error) {
    if (isOffline(error) && isKnownComplete) return cache.snapshot(known);
    throw error;
  }
  const listed = await listFiles(session, commit);
  const paths = [...listed.keys()];
  const folder = cache.snapshot(commit);
  await mkdir(folder, { recursive: true });
  const download = downloader(session, commit, listed);
  if (patterns) {
    const chosen = selectMatching(paths, patterns);
    if (chosen.length === 0) throw nothingToFetch(operation, paths, `files like ${patterns.join(', ')}`);
    await download(chosen);
  } else {
    await download(selectCompanions(paths));
    const shards = paths.includes(indexFileName) ? (await readIndexFile(join(folder, indexFileName))).values() : [];
    const weights = selectWeights(paths, [...shards]);
    if (weights.length === 0) throw nothingToFetch(operation, paths, 'safetensors files');
    await download(weights);
  }
  await cache.remember(revision, commit);
  return folder;
}

/** Downloads files of a commit into its snapshot, one after the other, and reports progress over all of them. */
function downloader(
  session: HubSession,
  commit: string,
  listed: ReadonlyMap<string, RemoteFile>,
): (paths: readonly string[]) => Promise<void> {
  const { operation, options, cache } = session;
  let [finished, total] = [0, 0];
  return async (paths) => {
    const files = paths.map((path) => listed.get(path) ?? missingFile(operation, path));
    total += files.reduce((sum, { size }) => sum + size, 0);
    for (const file of files) {
      const { path } = file;
      const start = async (position: number) => {
        const blob = await openFile(session, commit, path);
        return (position > 0 ? blob.slice(position) : blob).stream() as ReadableStream<Uint8Array>;
      };
      const report = (done: number) => options.onProgress?.({ file: path, bytes: { done: finished + done, total } });
      await downloadBlob(file, cache.blob(file.hash), operation, start, report, options.signal);
      await cache.link(file.hash, commit, path);
      finished += file.size;
    }
  };
}
