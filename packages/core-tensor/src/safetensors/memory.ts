import { type AnyTypedArray, allocate, byteSize } from '../dtype.js';
import type { StoredTensor } from './format.js';
import { parseHeader, prefixBytes, readHeaderLength, refusalOf } from './header.js';
import { headerOf, orderForAlignment, sizeSources } from './sources.js';
import type { WriteOptions } from './writer.js';

/** The contents of a safetensors file. */
export interface ParsedSafetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file that is in memory already. Every tensor is copied into an array of its own, because the
 * format does not promise aligned data.
 *
 * @throws CheckpointError where the header is malformed or does not match the data
 */
export function parseSafetensors(bytes: Uint8Array): ParsedSafetensors {
  const refuse = refusalOf(undefined);
  const headerBytes = readHeaderLength(bytes.subarray(0, prefixBytes), bytes.length, refuse);
  const dataStart = prefixBytes + headerBytes;
  const data = bytes.subarray(dataStart);
  const { entries, metadata } = parseHeader(bytes.subarray(prefixBytes, dataStart), data.length, refuse);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, begin, byteLength }] of entries) {
    const elements: AnyTypedArray = allocate(dtype, byteLength / byteSize(dtype));
    new Uint8Array(elements.buffer).set(data.subarray(begin, begin + byteLength));
    tensors.set(name, { dtype, shape, data: elements } as StoredTensor);
  }
  return { tensors, metadata };
}

/**
 * The bytes of a safetensors file with these tensors.
 *
 * @throws CheckpointError where a tensor does not match its dtype and shape
 */
export function serializeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>> | Iterable<readonly [string, StoredTensor]>,
  { metadata }: WriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const ordered = orderForAlignment(sizeSources(undefined, tensors));
  const header = headerOf(undefined, ordered, metadata);
  const dataBytes = [...ordered.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = new Uint8Array(header.length + dataBytes);
  bytes.set(header);
  let position = header.length;
  for (const { source, byteLength } of ordered.values()) {
    const data = source.data as AnyTypedArray;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += byteLength;
  }
  return bytes;
}
