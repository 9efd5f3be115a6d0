import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError } from '../../errors.js';
import { isSystemError } from '../../safetensors/file-error.js';
import { fileExists } from './cache.js';
import { withFileLock } from './file-lock.js';

/** A file of a repository. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a large file, else git's hash of the contents; its name in the cache. */
  readonly hash: string;
  readonly isLarge: boolean;
}

/**
 * Downloads a file into the cache unless it is there. It goes on where an earlier attempt ended, also one of another
 * process, and gets its name only when its contents have their hash.
 *
 * @param start the contents from a position on
 * @param onBytes called with the bytes that are there, also those from before
 * @throws CheckpointError where the contents are not those of the hash; what `start` or its stream throws otherwise
 */
export async function downloadBlob(
  file: RemoteFile,
  blob: string,
  operation: string,
  start: (position: number) => Promise<ReadableStream<Uint8Array>>,
  onBytes: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  await withFileLock(
    `${blob}.lock`,
    async () => {
      if (await fileExists(blob)) return;
      const partial = `${blob}.incomplete`;
      const hash = file.isLarge ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
      let done = await hashExisting(partial, file.size, hash);
      await (await open(partial, 'a')).close();
      for (let before = -1; done > before && done < file.size; ) {
        before = done;
        const take = (bytes: Uint8Array) => {
          hash.update(bytes);
          done += bytes.length;
          onBytes(done);
        };
        // A connection that ends after some bytes is worth another one.
        await append(partial, await start(done), take).catch((error: unknown) => {
          if (done === before || isSystemError(error) || signal?.aborted) throw error;
        });
      }
      const found = hash.digest('hex');
      if (done !== file.size || found !== file.hash) {
        if (done >= file.size) await rm(partial);
        throw new CheckpointError({
          operation,
          file: file.path,
          expected: `${file.size} bytes with the hash ${file.hash}`,
          received: `${done} bytes with the hash ${found}`,
          remedy: 'Try again: what was damaged is gone.',
        });
      }
      await rename(partial, blob);
    },
    signal,
  );
  onBytes(file.size);
}

/** Bytes of an earlier attempt, taken into the hash. What is too long is thrown away. */
async function hashExisting(partial: string, size: number, hash: Hash): Promise<number> {
  const existing = await stat(partial).then(
    (status) => status.size,
    () => 0,
  );
  if (existing > size) {
    await rm(partial);
    return 0;
  }
  if (existing > 0) for await (const bytes of createReadStream(partial)) hash.update(bytes as Uint8Array);
  return existing;
}

async function append(
  partial: string,
  contents: ReadableStream<Uint8Array>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  const handle = await open(partial, 'a');
  try {
    for await (const bytes of contents) {
      await writeAll(handle, bytes);
      take(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}
