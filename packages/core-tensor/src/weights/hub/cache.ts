import { copyFile, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { indexFileName, readIndexFile, singleFileName } from '../../safetensors/index-file.js';
import { writeFileAtomically } from '../../safetensors/staged-file.js';
import { type FilePattern, selectMatching } from './select-files.js';

/**
 * Where a model's files are kept, laid out as by `huggingface_hub`, which finds them too: contents under `blobs`, named
 * by their hash; commits under `snapshots`, as links to them; names of commits under `refs`.
 */
export interface ModelCache {
  blob(hash: string): string;
  /** Folder of a commit. */
  snapshot(commit: string): string;
  /** The commit that a branch or tag stood for when it was last asked for. */
  commitOf(revision: string): Promise<string | undefined>;
  remember(revision: string, commit: string): Promise<void>;
  /** Puts a blob into a snapshot. */
  link(hash: string, commit: string, path: string): Promise<void>;
}

/** Whether a revision is a commit rather than a name. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

export function modelCache(cacheDir: string, id: string): ModelCache {
  const folder = join(cacheDir, `models--${id.replaceAll('/', '--')}`);
  const blob = (hash: string) => join(folder, 'blobs', hash);
  const snapshot = (commit: string) => join(folder, 'snapshots', commit);
  const reference = (revision: string) => join(folder, 'refs', ...revision.split('/'));
  return {
    blob,
    snapshot,
    async commitOf(revision) {
      if (isCommit(revision)) return revision;
      const text = await readFile(reference(revision), 'utf8').catch(() => '');
      return isCommit(text.trim()) ? text.trim() : undefined;
    },
    async remember(revision, commit) {
      if (isCommit(revision)) return;
      await mkdir(dirname(reference(revision)), { recursive: true });
      await writeFileAtomically(reference(revision), commit);
    },
    async link(hash, commit, path) {
      const place = join(snapshot(commit), ...path.split('/'));
      await mkdir(dirname(place), { recursive: true });
      await rm(place, { force: true });
      try {
        await symlink(relative(dirname(place), blob(hash)), place);
      } catch {
        // Windows allows links to administrators only.
        await copyFile(blob(hash), place);
      }
    },
  };
}

/** Whether a file is there, through links. */
export async function fileExists(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

/**
 * Whether a snapshot holds what was asked for. Weights are downloaded last, so where they are complete, all is.
 *
 * @param files what was asked for; by default weights and all that belongs to them.
 */
export async function isComplete(folder: string, files: readonly FilePattern[] | undefined): Promise<boolean> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const paths: string[] = [];
  for (const name of names) if (await fileExists(join(folder, name))) paths.push(name.replaceAll('\\', '/'));
  if (files) return files.every((pattern) => selectMatching(paths, [pattern]).length > 0);
  if (paths.includes(singleFileName)) return true;
  if (!paths.includes(indexFileName)) return paths.some((path) => path.endsWith('.safetensors'));
  const weightMap = await readIndexFile(join(folder, indexFileName)).catch(() => undefined);
  return weightMap !== undefined && [...weightMap.values()].every((shard) => paths.includes(shard));
}
