import { type AnyTypedArray, byteSize, isArrayOf, isStorageDType, type StorageDType } from '../dtype.js';
import { CheckpointError, DTypeError } from '../errors.js';
import { type ByteSource, openByteSource } from './byte-source.js';
import type { StoredTensor, TensorEntry, TensorInfo } from './format.js';
import { parseHeader, prefixBytes, readHeaderLength, refusalOf } from './header.js';
import { allocateTensor, readElements } from './read-elements.js';

/** How a tensor is read. */
export interface ReadOptions<D extends StorageDType = StorageDType> {
  /** Element type of the result; the stored one unless given. Conversion follows `convert`. */
  readonly as?: D | undefined;
}

/** Named tensors on disk, read one at a time. */
export interface TensorReader {
  /** Names of all tensors, in the order of the header (in the order of the index for a sharded checkpoint). */
  keys(): readonly string[];
  /** Whether there is a tensor of this name. */
  has(name: string): boolean;
  /** Type and shape of a tensor, known without reading it. */
  info(name: string): TensorInfo;
  /** Reads a tensor into an array of its own. */
  read(name: string): Promise<StoredTensor>;
  read<D extends StorageDType>(name: string, options: { readonly as: D }): Promise<StoredTensor<D>>;
  read(name: string, options?: ReadOptions): Promise<StoredTensor>;
  /**
   * Reads a tensor into an array that is there already.
   *
   * @param target of as many elements, of the stored dtype or that of `as`
   */
  readInto(name: string, target: AnyTypedArray, options?: ReadOptions): Promise<void>;
  /**
   * Reads the rows `begin` to `end` (exclusive) along the first axis: a tensor of shape [end − begin, …rest].
   */
  readRange(name: string, begin: number, end: number): Promise<StoredTensor>;
  readRange<D extends StorageDType>(
    name: string,
    begin: number,
    end: number,
    options: { readonly as: D },
  ): Promise<StoredTensor<D>>;
  readRange(name: string, begin: number, end: number, options?: ReadOptions): Promise<StoredTensor>;
  /** Reads the bytes `begin` to `end` (exclusive) of a tensor as they are stored; all of them by default. */
  readBytes(name: string, begin?: number, end?: number): Promise<Uint8Array>;
  /** Metadata of the file; of the first shard for a sharded checkpoint. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Releases the files. Reading fails afterwards; closing again does nothing. */
  close(): Promise<void>;
}

/** One open safetensors file. */
export interface SafetensorsReader extends TensorReader {
  readonly path: string;
}

function checkRange(file: string, key: string, what: string, begin: number, end: number, limit: number): void {
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0 || end < begin || end > limit) {
    throw new CheckpointError({
      operation: 'read safetensors',
      file,
      key,
      expected: `${what} in order between 0 and ${limit}`,
      received: `${begin} to ${end}`,
      remedy: 'Look up the shape with info.',
    });
  }
}

function targetDType(stored: StorageDType, options: ReadOptions | undefined): StorageDType {
  const wanted = options?.as ?? stored;
  if (!isStorageDType(wanted)) {
    throw new DTypeError({ operation: 'read safetensors', expected: 'the name of a dtype', received: String(wanted) });
  }
  return wanted;
}

/** The error of asking for a tensor that is not there. */
export function unknownKey(file: string, key: string, keys: readonly string[]): CheckpointError {
  const some = keys.length === 0 ? '' : `, such as ${keys.slice(0, 3).join(', ')}`;
  return new CheckpointError({
    operation: 'read safetensors',
    file,
    key,
    expected: 'a tensor of this name',
    received: `${keys.length} tensors of other names${some}`,
    remedy: 'List the names with keys().',
  });
}

/**
 * Opens a safetensors file. Only the header is read, and checked as a whole; tensors are read when asked for.
 *
 * @throws CheckpointError where the file cannot be read, or its header is malformed or does not match the data
 */
export async function openSafetensors(path: string): Promise<SafetensorsReader> {
  const source = await openByteSource(path);
  try {
    return await readerOf(path, source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readerOf(path: string, source: ByteSource): Promise<SafetensorsReader> {
  const refuse = refusalOf(path);
  const prefix = new Uint8Array(Math.min(prefixBytes, source.size));
  await source.read(0, prefix);
  const headerBytes = new Uint8Array(readHeaderLength(prefix, source.size, refuse));
  await source.read(prefixBytes, headerBytes);
  const dataStart = prefixBytes + headerBytes.length;
  const { entries, metadata } = parseHeader(headerBytes, source.size - dataStart, refuse);
  const names = [...entries.keys()];

  function entryOf(name: string): TensorEntry {
    const entry = entries.get(name);
    if (entry === undefined) {
      throw unknownKey(path, name, names);
    }
    return entry;
  }

  async function readRange(name: string, begin: number, end: number, options?: ReadOptions): Promise<StoredTensor> {
    const { dtype, shape, begin: start } = entryOf(name);
    const [rows, ...rest] = shape;
    if (rows === undefined) {
      throw refuse('a tensor with at least one axis', 'a scalar', 'Use read.', name);
    }
    checkRange(path, name, 'rows', begin, end, rows);
    const to = targetDType(dtype, options);
    const width = rest.reduce((product, size) => product * size, 1);
    const position = dataStart + start + begin * width * byteSize(dtype);
    const data = allocateTensor(path, name, to, (end - begin) * width);
    await readElements(source, position, dtype, data, to);
    return { dtype: to, shape: [end - begin, ...rest], data } as StoredTensor;
  }

  async function read(name: string, options?: ReadOptions): Promise<StoredTensor> {
    const { dtype, shape, byteLength } = entryOf(name);
    const to = targetDType(dtype, options);
    const data = allocateTensor(path, name, to, byteLength / byteSize(dtype));
    await readInto(name, data, { as: to });
    return { dtype: to, shape, data } as StoredTensor;
  }

  async function readInto(name: string, target: AnyTypedArray, options?: ReadOptions): Promise<void> {
    const { dtype, byteLength, begin } = entryOf(name);
    const to = targetDType(dtype, options);
    const length = byteLength / byteSize(dtype);
    if (!isArrayOf(to, target) || target.length !== length) {
      const received = `${target.length} elements in a ${target.constructor.name}`;
      throw refuse(
        `an array of ${length} elements of ${to}`,
        received,
        'Allocate it for the shape that info gives.',
        name,
      );
    }
    await readElements(source, dataStart + begin, dtype, target, to);
  }

  return {
    path,
    metadata,
    keys: () => names,
    has: (name) => entries.has(name),
    info(name) {
      const { dtype, shape, byteLength } = entryOf(name);
      return { dtype, shape, byteLength };
    },
    read: read as SafetensorsReader['read'],
    readInto,
    readRange: readRange as SafetensorsReader['readRange'],
    async readBytes(name, begin = 0, end) {
      const { byteLength, begin: start } = entryOf(name);
      const last = end ?? byteLength;
      checkRange(path, name, 'bytes', begin, last, byteLength);
      const bytes = allocateTensor(path, name, 'uint8', last - begin) as Uint8Array;
      await source.read(dataStart + start + begin, bytes);
      return bytes;
    },
    close: () => source.close(),
  };
}
