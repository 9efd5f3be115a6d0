import { CheckpointError } from '../../errors.js';
import { isCommit, type ModelCache, modelCache } from './cache.js';
import type { RemoteFile } from './download.js';
import { hubError } from './hub-error.js';
import { type FilePattern, isPickle, isSafePath } from './select-files.js';

type Hub = typeof import('@huggingface/hub');

/** How far a download is. */
export interface FetchProgress {
  /** Path in the repository of the file that is being downloaded. */
  readonly file: string;
  /** Of all files known to be needed so far. */
  readonly bytes: { readonly done: number; readonly total: number };
}

/** Options of `fetchCheckpoint`. */
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

/** A model of the hub, and how it is asked for. */
export interface HubSession {
  readonly hub: Hub;
  /** What errors call it. */
  readonly operation: string;
  readonly id: string;
  readonly revision: string;
  readonly request: { readonly hubUrl: string; readonly accessToken?: string; readonly fetch?: typeof fetch };
  readonly options: FetchOptions;
  readonly cache: ModelCache;
}

/** Whether a text may be the id of a model: `owner/name`. */
export function isModelId(text: string): boolean {
  return /^\w[\w.-]*\/\w[\w.-]*$/.test(text);
}

/** The error of a text that names no model. */
export function noModel(text: string): CheckpointError {
  return new CheckpointError({
    operation: `fetch ${text}`,
    expected: 'a folder or file, or the id of a model as owner/name',
    received: 'neither',
    remedy: 'Check the path.',
  });
}

/**
 * Does something with a model of the hub.
 *
 * @throws CheckpointError for whatever goes wrong between here and the hub; the signal's reason once it is aborted
 */
export async function withHub<T>(
  id: string,
  options: FetchOptions,
  work: (session: HubSession) => Promise<T>,
): Promise<T> {
  const operation = `fetch ${id}`;
  const hub = await import('@huggingface/hub');
  const hubUrl = (options.hubUrl ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  const { signal, token = process.env.HF_TOKEN, revision = 'main' } = options;
  if (!isSafePath(revision)) {
    throw new CheckpointError({ operation, expected: 'a branch, tag or commit', received: JSON.stringify(revision) });
  }
  const request = {
    hubUrl,
    ...(token && { accessToken: token }),
    ...(signal && { fetch: ((input, init) => fetch(input, { ...init, signal })) satisfies typeof fetch }),
  };
  const cache = modelCache(options.cacheDir ?? hub.getHFHubCachePath(), id);
  try {
    return await work({ hub, operation, id, revision, request, options, cache });
  } catch (error) {
    signal?.throwIfAborted();
    throw hubError(operation, hubUrl, error);
  }
}

/** The commit that the revision stands for now. */
export async function currentCommit({ hub, id, revision, request }: HubSession): Promise<string> {
  const { sha } = await hub.modelInfo({ ...request, name: id, revision, additionalFields: ['sha'] });
  if (!isCommit(sha)) throw new Error(`a model without a commit (${JSON.stringify(sha)})`);
  return sha;
}

/** The files of a commit, by path. */
export async function listFiles({ hub, id, request }: HubSession, commit: string): Promise<Map<string, RemoteFile>> {
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

/** The contents of a file of a commit, to be read from anywhere. */
export async function openFile(
  { hub, operation, id, request }: HubSession,
  commit: string,
  path: string,
): Promise<Blob> {
  return (await hub.downloadFile({ ...request, repo: id, path, revision: commit })) ?? missingFile(operation, path);
}

/** The error of a file that should be in the repository. */
export function missingFile(operation: string, path: string): never {
  throw new CheckpointError({
    operation,
    expected: `the file ${path}`,
    received: 'a repository without it',
    remedy: 'Choose another revision.',
  });
}

/** The error of a repository that has nothing of what is needed. */
export function nothingToFetch(operation: string, paths: readonly string[], expected: string): CheckpointError {
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
