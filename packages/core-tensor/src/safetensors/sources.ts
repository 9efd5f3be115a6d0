import { type AnyTypedArray, byteSize, isArrayOf, isStorageDType, storageDTypes } from '../dtype.js';
import { CheckpointError, formatShape } from '../errors.js';
import { maxHeaderBytes, type TensorInfo, type TensorSource, type TensorSources, tensorByteLength } from './format.js';
import { formatHeader } from './header.js';

/** A tensor to be written whose size is known. */
export interface SizedSource extends TensorInfo {
  readonly source: TensorSource;
}

function refuse(file: string | undefined, key: string | undefined, expected: string, received: string, remedy: string) {
  return new CheckpointError({ operation: 'write safetensors', file, key, expected, received, remedy });
}

function isIterable(tensors: TensorSources): tensors is Iterable<readonly [string, TensorSource]> {
  return Symbol.iterator in tensors;
}

/**
 * Names, types and shapes of all tensors, checked before a byte is written.
 *
 * @param file named in errors
 */
export function sizeSources(file: string | undefined, tensors: TensorSources): Map<string, SizedSource> {
  const sized = new Map<string, SizedSource>();
  for (const [name, source] of isIterable(tensors) ? tensors : Object.entries(tensors)) {
    if (sized.has(name)) {
      throw refuse(file, name, 'every name once', 'it twice', 'Rename one of the tensors.');
    }
    if (name === '__metadata__' || /\p{Surrogate}/u.test(name)) {
      throw refuse(file, name, 'a name in Unicode other than __metadata__', JSON.stringify(name), 'Rename the tensor.');
    }
    const { dtype, shape, data } = source;
    if (!isStorageDType(dtype)) {
      throw refuse(file, name, `a dtype among ${storageDTypes.join(', ')}`, String(dtype), 'Convert the tensor.');
    }
    const byteLength = tensorByteLength(dtype, shape);
    if (byteLength === undefined) {
      throw refuse(file, name, 'a shape of non-negative integers', formatShape(shape), 'Correct the shape.');
    }
    const info = { dtype, shape, byteLength };
    if (typeof data !== 'function') {
      checkData(file, name, info, data);
    }
    sized.set(name, { ...info, source });
  }
  return sized;
}

function checkData(file: string | undefined, name: string, info: TensorInfo, data: AnyTypedArray): void {
  const { dtype, shape, byteLength } = info;
  if (!isArrayOf(dtype, data) || data.byteLength !== byteLength) {
    const expected = `${byteLength / byteSize(dtype)} elements of ${dtype} for shape ${formatShape(shape)}`;
    const kind = (data as object | undefined)?.constructor?.name ?? String(data);
    const received = `${kind} of ${(data as AnyTypedArray | undefined)?.length ?? 'no'} elements`;
    throw refuse(file, name, expected, received, 'Give data of this dtype and shape.');
  }
}

/** The bytes of a tensor, asked for when they are needed. */
export async function bytesOfSource(file: string | undefined, name: string, sized: SizedSource): Promise<Uint8Array> {
  const { data } = sized.source;
  const elements = typeof data === 'function' ? await data() : data;
  checkData(file, name, sized, elements);
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

/**
 * The order of the data: wide elements first, so that every tensor starts at a multiple of its element size, and
 * otherwise as given.
 */
export function orderForAlignment(tensors: ReadonlyMap<string, SizedSource>): Map<string, SizedSource> {
  return new Map([...tensors].sort(([, a], [, b]) => byteSize(b.dtype) - byteSize(a.dtype)));
}

/** {@link formatHeader}, refusing what no reader accepts. */
export function headerOf(
  file: string | undefined,
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array<ArrayBuffer> {
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (typeof value !== 'string') {
      throw refuse(file, '__metadata__', 'strings only', `${key}: ${String(value)}`, 'Write it as JSON text.');
    }
  }
  const header = formatHeader(tensors, metadata);
  if (header.length > maxHeaderBytes) {
    throw refuse(
      file,
      undefined,
      `a header of at most ${maxHeaderBytes} bytes`,
      `${header.length} bytes`,
      'Write shards.',
    );
  }
  return header;
}
