import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MicroworldError } from './microworld-error.js';
import type { MicroworldOptions, MicroworldSplit } from './microworld-options.js';

/** Name of the file that identifies a dataset; it is written last. */
export const MANIFEST_NAME = 'microworld.json';

/** Questions of one type in a split. */
export interface TypeStatistics {
  readonly questions: number;
  /** Number of different answers. */
  readonly answers: number;
  /** Accuracy of the answer given most often: what a model scores that looks at neither picture nor question. */
  readonly constantAccuracy: number;
}

/** Content of `microworld.json`. */
export interface MicroworldManifest {
  readonly format: 'ocelli-microworld';
  readonly version: number;
  /** SHA-256 of version and options. */
  readonly hash: string;
  readonly options: MicroworldOptions;
  readonly statistics: Readonly<Record<MicroworldSplit, Readonly<Record<string, TypeStatistics>>>>;
  /** Size and SHA-256 of every file but the pictures and MME's. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** Writes files below a directory and remembers their hashes. */
export interface DatasetWriter {
  readonly root: string;
  write(path: string, content: string): Promise<void>;
  readonly files: Record<string, { readonly bytes: number; readonly sha256: string }>;
}

/** A writer below a directory that exists. */
export function datasetWriter(root: string): DatasetWriter {
  const files: DatasetWriter['files'] = {};
  return {
    root,
    files,
    async write(path, content) {
      const target = join(root, path);
      await mkdir(dirname(target), { recursive: true });
      const bytes = Buffer.from(content);
      await writeDurably(target, bytes);
      files[path] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
  };
}

/**
 * Fills a directory as a whole or not at all: `fill` works in a new directory beside it, which takes its name at the end.
 * Whatever goes wrong, nothing is left under the name.
 *
 * @returns the manifest, and whether the same dataset was there already
 * @throws MicroworldError if the directory holds anything else, or a damaged copy of the dataset
 */
export async function publishDataset(
  directory: string,
  hash: string,
  fill: (writer: DatasetWriter) => Promise<MicroworldManifest>,
): Promise<{ readonly manifest: MicroworldManifest; readonly reused: boolean }> {
  const target = resolve(directory);
  const present = await existingManifest(target, hash);
  if (present !== null) return { manifest: present, reused: true };

  await mkdir(dirname(target), { recursive: true });
  const partial = join(dirname(target), `.${basename(target)}.partial-${randomUUID()}`);
  await mkdir(partial);
  try {
    const manifest = await fill(datasetWriter(partial));
    await writeDurably(join(partial, MANIFEST_NAME), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    await rmdir(target).catch(ignoreMissing);
    await rename(partial, target);
    return { manifest, reused: false };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process may have published the same dataset meanwhile.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      const other = await existingManifest(target, hash);
      if (other !== null) return { manifest: other, reused: true };
    }
    throw error;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The manifest if the directory holds this dataset, `null` if it is missing or empty. */
async function existingManifest(directory: string, hash: string): Promise<MicroworldManifest | null> {
  let entries: string[];
  try {
    entries = await readdir(directory);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw refusal(directory, code === 'ENOTDIR' ? 'a file of this name' : `an unreadable directory (${code})`, cause);
  }
  if (entries.length === 0) return null;
  if (!entries.includes(MANIFEST_NAME)) throw refusal(directory, `${entries.length} other files`);
  let manifest: MicroworldManifest;
  try {
    manifest = JSON.parse(await readFile(join(directory, MANIFEST_NAME), 'utf8')) as MicroworldManifest;
  } catch (cause) {
    throw refusal(directory, `an unreadable ${MANIFEST_NAME}`, cause);
  }
  if (manifest?.hash !== hash) throw refusal(directory, 'a microworld of other options or another version');
  await assertComplete(directory, manifest);
  return manifest;
}

async function assertComplete(directory: string, manifest: MicroworldManifest): Promise<void> {
  for (const [path, { bytes }] of Object.entries(manifest.files)) {
    const size = await stat(join(directory, path)).then(
      (entry) => entry.size,
      () => null,
    );
    if (size !== bytes) throw refusal(directory, `a copy with ${path} ${size === null ? 'missing' : 'damaged'}`);
  }
  for (const [split, expected] of Object.entries(manifest.options.scenes)) {
    if (expected === 0) continue;
    const pictures = await readdir(join(directory, 'images', split)).then(
      (names) => names.length,
      () => 0,
    );
    if (pictures !== expected)
      throw refusal(directory, `a copy with ${pictures} of ${expected} pictures in images/${split}`);
  }
}

function refusal(directory: string, received: string, cause?: unknown): MicroworldError {
  return new MicroworldError({
    operation: 'generateMicroworld',
    expected: `${directory} to be missing, empty or this very dataset`,
    received,
    remedy: 'choose another directory or delete this one',
    option: 'directory',
    value: directory,
    cause,
  });
}
