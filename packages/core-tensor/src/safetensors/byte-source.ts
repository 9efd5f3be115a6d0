import { type FileHandle, open, stat } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { fileError } from './file-error.js';

/** Node refuses single reads of 2 GiB and more. */
const readBytes = 64 * 1024 * 1024;

/** Random access to the bytes of one open file. */
export interface ByteSource {
  readonly size: number;
  /** Fills `target` from byte `position` on. */
  read(position: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a regular file. Anything else is refused before it is opened: opening a pipe waits for its writer.
 *
 * @throws CheckpointError naming the file
 */
export async function openByteSource(path: string): Promise<ByteSource> {
  const operation = 'read safetensors';
  const failed = (cause: unknown) => fileError(operation, path, 'a file that can be read', cause);
  let handle: FileHandle;
  let size: number;
  try {
    const status = await stat(path);
    if (!status.isFile()) {
      throw new CheckpointError({
        operation,
        file: path,
        expected: 'a regular file',
        received: status.isDirectory() ? 'a folder' : 'a device, pipe or socket',
        remedy: status.isDirectory() ? 'Name a file in it, or open it with openCheckpoint.' : 'Name a file.',
      });
    }
    handle = await open(path, 'r');
  } catch (cause) {
    throw failed(cause);
  }
  try {
    ({ size } = await handle.stat());
  } catch (cause) {
    await handle.close();
    throw failed(cause);
  }
  let closed: Promise<void> | undefined;
  return {
    size,
    async read(position, target) {
      const refuse = (expected: string, received: string, remedy: string) =>
        new CheckpointError({ operation, file: path, expected, received, remedy });
      if (closed !== undefined) {
        throw refuse('an open reader', 'one that was closed', 'Close a reader after its last read.');
      }
      let done = 0;
      while (done < target.length) {
        const wanted = Math.min(readBytes, target.length - done);
        const { bytesRead } = await handle.read(target, done, wanted, position + done).catch((cause: unknown) => {
          throw failed(cause);
        });
        if (bytesRead === 0) {
          throw refuse(
            `${size} bytes, as when it was opened`,
            `${position + done} bytes`,
            'Do not write to open files.',
          );
        }
        done += bytesRead;
      }
    },
    close() {
      closed ??= handle.close();
      return closed;
    },
  };
}
