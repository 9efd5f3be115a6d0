import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.js';

/** Node refuses single writes of 2 GiB and more. */
const writeBytes = 64 * 1024 * 1024;

/** A file that is complete on disk under a temporary name. */
export interface StagedFile {
  /** Gives the file its name, replacing what had it. */
  commit(): Promise<void>;
  /** Removes the temporary file. Does nothing after a commit. */
  discard(): Promise<void>;
}

/** Appends all of `bytes` to a file. */
export type Append = (bytes: Uint8Array) => Promise<void>;

async function appendAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(writeBytes, bytes.length - done));
    done += bytesWritten;
  }
}

/** Makes renames in a folder durable. Windows cannot open folders and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file under a temporary name in its own folder and syncs it. When anything fails, nothing is left.
 *
 * @param path where a commit puts the file
 * @param produce writes the contents through `append`; what it throws is passed on
 * @throws CheckpointError naming `path` where the file cannot be written
 */
export async function stageFile(path: string, produce: (append: Append) => Promise<void>): Promise<StagedFile> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  const failed = (cause: unknown) => fileError('write', path, 'to write the whole file', cause);
  const discard = () => rm(temporary, { force: true });
  let handle: FileHandle;
  try {
    handle = await open(temporary, 'wx');
  } catch (cause) {
    throw failed(cause);
  }
  try {
    try {
      await produce((bytes) => appendAll(handle, bytes));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await discard();
    throw failed(cause);
  }
  return {
    async commit() {
      try {
        await rename(temporary, path);
        await syncFolder(folder);
      } catch (cause) {
        await discard();
        throw failed(cause);
      }
    },
    discard,
  };
}

/**
 * Replaces a file as a whole: whatever happens, `path` holds the old contents or the new, never a part.
 *
 * @throws CheckpointError naming `path` where the file cannot be written
 */
export async function writeFileAtomically(path: string, contents: string | Uint8Array): Promise<void> {
  const bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
  const staged = await stageFile(path, (append) => append(bytes));
  await staged.commit();
}
