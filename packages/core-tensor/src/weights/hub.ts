import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import { indexFileName, readIndexFile } from '../safetensors/index-file.js';
import { isCommit, isComplete, type ModelCache, modelCache } from './hub/cache.js';
import { downloadBlob, type RemoteFile } from './hub/download.js';
import { hubError, isOffline } from './hub/hub-error.js';
import {
  type FilePattern,
  isPickle,
  isSafePath,
  selectCompanions,
  selectMatching,
  selectWeights,
} from './hub/select-files.js';

type Hub = typeof import('@huggingface/hub');

/** How far a download is. */
export interface FetchProgress {
  /** Path in the repository of the file that is being downloaded. */
  readonly file: string;
  /** Of all files known to be needed so far. */
  readonly bytes: { readonly done: number; readonly total: number };
}

/** Options of {@link fetchCheckpoint}. */
export interface FetchOptions {
  /** Branch, tag or commit. Default: `main`. */
  readonly revision?: string;
  /** Default: the cache that `huggingface_hub` uses (`HF_HUB_CACHE`, `HF_HOME`, else `~/.cache/huggingface/hub`). */
  readonly cacheDir?: string;
  /** For private and gated models. Default: `HF_TOKEN`. */
  readonly token?: string;
  /** Default: `HF_ENDPOINT`, else `https://huggingface.co`. */
  readonly hubUrl?: string;
  /**
   * Which files, by path or pattern. Default: the safetensors files of the weights, and the configurations and tokenizer
   * files beside them. PyTorch's pickles are never downloaded: they are programs.
   */
  readonly files?: readonly FilePattern[];
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Stops the download; what is there is kept, and the next call goes on from it. */
  readonly signal?: AbortSignal;
}

/** What a fetch needs wherever it is. */
interface Session {
  readonly hub: Hub;
  readonly operation: string;
  readonly id: string;
  readonly request: { hubUrl: string; accessToken?: string; fetch?: typeof fetch };
  readonly options: FetchOptions;
  readonly cache: ModelCache;
}

/**
 * The local folder of a model: `idOrFolder` itself where that is a folder or file, else the model `owner/name` of the
 * Hugging Face hub, downloaded into the cache unless it is there. Files are checked against their hashes, and an
 * interrupted download goes on where it ended. Without a connection, the last known state of a branch is used.
 *
 * @throws CheckpointError where there is neither folder nor model, the hub refuses or cannot be reached, or the model
 *   has no safetensors files
 */
export async function fetchCheckpoint(idOrFolder: string, options: FetchOptions = {}): Promise<string> {
  if (await isThere(idOrFolder)) return idOrFolder;
  const operation = `fetch ${idOrFolder}`;
  if (!/^\w[\w.-]*\/\w[\w.-]*$/.test(idOrFolder)) {
    throw new CheckpointError({
      operation,
      expected: 'a folder or file, or the id of a model as owner/name',
      received: 'neither',
      remedy: 'Check the path.',
    });
  }
  const hub = await import('@huggingface/hub');
  const hubUrl = (options.hubUrl ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  const { signal, token = process.env.HF_TOKEN } = options;
  const session: Session = {
    hub,
    operation,
    id: idOrFolder,
    request: {
      hubUrl,
      ...(token && { accessToken: token }),
      ...(signal && { fetch: ((input, init) => fetch(input, { ...init, signal })) satisfies typeof fetch }),
    },
    options,
    cache: modelCache(options.cacheDir ?? hub.getHFHubCachePath(), idOrFolder),
  };
  try {
    return await fetchModel(session);
  } catch (error) {
    signal?.throwIfAborted();
    throw hubError(operation, hubUrl, error);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function fetchModel(session: Session): Promise<string> {
  const { hub, id, request, options, cache } = session;
  const { revision = 'main', files: patterns } = options;
  if (!isSafePath(revision)) throw badRevision(session.operation, revision);
  const known = await cache.commitOf(revision);
  const knownFolder =
    known !== undefined && (await isComplete(cache.snapshot(known), patterns)) ? cache.snapshot(known) : undefined;
  if (isCommit(revision) && knownFolder !== undefined) return knownFolder;
  let commit: string;
  try {
    commit = (await hub.modelInfo({ ...request, name: id, revision, additionalFields: ['sha'] })).sha;
    if (!isCommit(commit)) throw new Error(`a model without a commit (${JSON.stringify(commit)})`);
  } catch (error) {
    if (isOffline(error) && knownFolder !== undefined) return knownFolder;
    throw error;
  }
  const listed = await listFiles(session, commit);
  const paths = [...listed.keys()];
  const folder = cache.snapshot(commit);
  await mkdir(folder, { recursive: true });
  const download = downloader(session, commit, listed);
  if (patterns) {
    const chosen = selectMatching(paths, patterns);
    if (chosen.length === 0) throw nothingToFetch(session.operation, paths, `files like ${patterns.join(', ')}`);
    await download(chosen);
  } else {
    await download(selectCompanions(paths));
    const shards = paths.includes(indexFileName) ? (await readIndexFile(join(folder, indexFileName))).values() : [];
    const weights = selectWeights(paths, [...shards]);
    if (weights.length === 0) throw nothingToFetch(session.operation, paths, 'safetensors files');
    await download(weights);
  }
  await cache.remember(revision, commit);
  return folder;
}

async function listFiles({ hub, id, request }: Session, commit: string): Promise<Map<string, RemoteFile>> {
  const files = new Map<string, RemoteFile>();
  for await (const entry of hub.listFiles({ ...request, repo: id, revision: commit, recursive: true })) {
    const { type, path, lfs, oid } = entry;
    const hash = lfs?.oid ?? oid ?? '';
    // Names and hashes become paths: what cannot be one of the hub's is left out.
    if (type !== 'file' || !isSafePath(path) || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) continue;
    files.set(path, { path, size: lfs?.size ?? entry.size, hash, isLarge: lfs !== undefined });
  }
  return files;
}

/** Downloads files of a commit into its snapshot, one after the other, and reports progress over all of them. */
function downloader(
  { hub, operation, id, request, options, cache }: Session,
  commit: string,
  listed: ReadonlyMap<string, RemoteFile>,
): (paths: readonly string[]) => Promise<void> {
  let [finished, total] = [0, 0];
  return async (paths) => {
    const files = paths.map((path) => listed.get(path) ?? missingFile(operation, path));
    total += files.reduce((sum, { size }) => sum + size, 0);
    for (const file of files) {
      const { path } = file;
      const start = async (position: number) => {
        const blob = await hub.downloadFile({ ...request, repo: id, path, revision: commit });
        if (!blob) return missingFile(operation, path);
        return (position > 0 ? blob.slice(position) : blob).stream() as ReadableStream<Uint8Array>;
      };
      const report = (done: number) => options.onProgress?.({ file: path, bytes: { done: finished + done, total } });
      await downloadBlob(file, cache.blob(file.hash), operation, start, report, options.signal);
      await cache.link(file.hash, commit, path);
      finished += file.size;
    }
  };
}

function missingFile(operation: string, path: string): never {
  throw new CheckpointError({
    operation,
    expected: `the file ${path}, which the index lists`,
    received: 'a repository without it',
    remedy: 'Choose another revision.',
  });
}

function badRevision(operation: string, revision: string): CheckpointError {
  return new CheckpointError({ operation, expected: 'a branch, tag or commit', received: JSON.stringify(revision) });
}

function nothingToFetch(operation: string, paths: readonly string[], expected: string): CheckpointError {
  const pickles = paths.filter(isPickle);
  return new CheckpointError({
    operation,
    expected: `${expected} in the repository`,
    received: pickles.length > 0 ? `only ${pickles.slice(0, 3).join(', ')}` : `${paths.length} other files`,
    remedy:
      pickles.length > 0
        ? 'Choose a revision with safetensors files, or convert these first: pickles are programs, and are not executed here.'
        : 'Check the id.',
  });
}
