import {
  type AnyTypedArray,
  allocate,
  bfloat16ToFloat32,
  byteSize,
  convert,
  float16ToFloat32,
  type StorageDType,
  type TypedArrayOf,
} from '../dtype.js';
import { CheckpointError } from '../errors.js';
import type { ByteSource } from './byte-source.js';

/** Bytes that are converted at a time: little beside the result, and still in the cache when they are converted. */
const conversionBytes = 1024 * 1024;

/**
 * An array for a tensor. An allocation that fails is an answer about the tensor, not a crash.
 *
 * @throws CheckpointError naming the tensor
 */
export function allocateTensor(
  file: string | undefined,
  key: string,
  dtype: StorageDType,
  length: number,
): AnyTypedArray {
  try {
    return allocate(dtype, length);
  } catch (cause) {
    throw new CheckpointError({
      operation: 'read safetensors',
      file,
      key,
      expected: 'to allocate one array for the tensor',
      received: `${length} elements of ${dtype}, more than this process can hold in one`,
      remedy: 'Read it in parts with readRange.',
      cause,
    });
  }
}

/** Reads the elements that start at a byte position of the file into `target`, converting them piece by piece. */
export async function readElements(
  source: ByteSource,
  position: number,
  from: StorageDType,
  target: AnyTypedArray,
  to: StorageDType,
): Promise<void> {
  if (from === to) {
    await source.read(position, bytesOf(target));
    return;
  }
  const pieceLength = Math.min(target.length, conversionBytes / byteSize(from));
  const pieces = [allocate(from, pieceLength), allocate(from, pieceLength)] as const;
  const start = async (begin: number): Promise<AnyTypedArray> => {
    const piece = pieces[(begin / pieceLength) % 2]!;
    const part = piece.subarray(0, Math.min(pieceLength, target.length - begin)) as AnyTypedArray;
    await source.read(position + begin * byteSize(from), bytesOf(part));
    return part;
  };
  // The next piece is read while one is converted.
  let next = target.length > 0 ? start(0) : undefined;
  for (let done = 0; next !== undefined; done += pieceLength) {
    const part = await next;
    next = done + pieceLength < target.length ? start(done + pieceLength) : undefined;
    convertInto(target.subarray(done, done + part.length) as AnyTypedArray, to, part, from);
  }
}

function convertInto(target: AnyTypedArray, to: StorageDType, data: AnyTypedArray, from: StorageDType): void {
  if (to === 'float32' && from === 'bfloat16') bfloat16ToFloat32(data as Uint16Array, target as Float32Array);
  else if (to === 'float32' && from === 'float16') float16ToFloat32(data as Uint16Array, target as Float32Array);
  // Both sides hold the same kind of element, which the union of array types cannot say.
  else (target as Float32Array).set(convert(data as TypedArrayOf<StorageDType>, from, to) as Float32Array);
}

function bytesOf(data: AnyTypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
