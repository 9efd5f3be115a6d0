import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { OnnxError } from './onnx-error.js';

/** Node refuses single reads of 2 GiB and more. */
const readBytes = 64 * 1024 * 1024;

/** Protobuf messages end at 2 GiB. */
const largestModel = 2 ** 31 - 1;

/** The bytes that a model is read from: those of its own file, and those of files beside it. */
export interface ModelSource {
  /** Path of the model; undefined for bytes in memory. */
  readonly file: string | undefined;
  /** Files beside the model that were asked for so far, by the names that the model has for them. */
  readonly external: ReadonlySet<string>;
  /** All bytes of the model. */
  model(): Uint8Array;
  /** Part of the model's own bytes, read again. */
  own(offset: number, length: number): Uint8Array;
  /** Size of a file beside the model. */
  externalSize(location: string): number;
  /** Part of a file beside the model. */
  fromExternal(location: string, offset: number, length: number): Uint8Array;
}

/**
 * Where a model's bytes come from. Large tensors of a file are read when they are needed, not before.
 *
 * @param folder of the files beside the model. Default: the model's own; bytes in memory have none.
 */
export function modelSource(source: string | Uint8Array, folder?: string): ModelSource {
  const file = typeof source === 'string' ? source : undefined;
  const base = folder ?? (file === undefined ? undefined : dirname(file));
  const files = new Map<string, UnchangedFile>();
  const external = new Set<string>();
  const open = (path: string) => {
    let known = files.get(path);
    if (!known) {
      known = new UnchangedFile(path);
      files.set(path, known);
    }
    return known;
  };
  const beside = (location: string) => {
    const opened = open(pathBeside(location, base, file));
    external.add(location);
    return opened;
  };
  return {
    file,
    external,
    model() {
      if (typeof source !== 'string') return source;
      const opened = open(source);
      if (opened.size > largestModel) {
        throw new OnnxError({
          operation: 'importOnnx',
          file,
          expected: 'a model of less than 2 GiB, larger tensors being in files beside it',
          received: `${opened.size} bytes`,
          remedy: 'Check that it is an ONNX model.',
        });
      }
      return opened.read(0, opened.size);
    },
    own: (offset, length) =>
      typeof source === 'string' ? open(source).read(offset, length) : source.subarray(offset, offset + length),
    externalSize: (location) => beside(location).size,
    fromExternal: (location, offset, length) => beside(location).read(offset, length),
  };
}

/** A model may name files in its own folder and below, and no others. */
function pathBeside(location: string, base: string | undefined, file: string | undefined): string {
  const refuse = (expected: string, received: string, remedy?: string) =>
    new OnnxError({ operation: 'importOnnx', file, expected, received, remedy });
  const inside = normalize(location);
  if (location === '' || isAbsolute(location) || /^\.\.([/\\]|$)/.test(inside) || /^[a-z]:/i.test(location)) {
    throw refuse('external data in the folder of the model', JSON.stringify(location));
  }
  if (base !== undefined) return join(base, inside);
  throw refuse(
    'the folder of the external data',
    `bytes in memory that need ${JSON.stringify(location)}`,
    'Give the folder, or the path of the model.',
  );
}

/** A file that has to stay as it was when it was first looked at: offsets in it were taken then. */
class UnchangedFile {
  private readonly first: Stats;

  constructor(readonly path: string) {
    this.first = this.attempt(() => {
      const status = statSync(path);
      if (!status.isFile()) throw new Error('it is no regular file');
      return status;
    });
  }

  get size(): number {
    return this.first.size;
  }

  read(offset: number, length: number): Uint8Array {
    return this.attempt(() => {
      const bytes = new Uint8Array(length);
      const handle = openSync(this.path, 'r');
      try {
        const { size, mtimeMs } = fstatSync(handle);
        if (size !== this.first.size || mtimeMs !== this.first.mtimeMs) throw new Error('it was changed meanwhile');
        for (let done = 0; done < length; ) {
          const count = readSync(handle, bytes, done, Math.min(readBytes, length - done), offset + done);
          if (count === 0) throw new Error(`it ends at byte ${offset + done}`);
          done += count;
        }
      } finally {
        closeSync(handle);
      }
      return bytes;
    });
  }

  private attempt<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (cause) {
      throw new OnnxError({
        operation: 'importOnnx',
        file: this.path,
        expected: 'a file that can be read',
        received: cause instanceof Error ? cause.message : String(cause),
        remedy: 'Check the path, and leave the files of a model as they are while it is in use.',
        cause,
      });
    }
  }
}
