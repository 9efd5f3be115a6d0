import { CheckpointError } from '../errors.js';
import {
  dtypeNamed,
  dtypeNames,
  maxHeaderBytes,
  type TensorEntry,
  type TensorInfo,
  tensorByteLength,
} from './format.js';
import { findRepeatedKey, isRecord } from './json.js';

/** Bytes before the header: its length as a little-endian u64. */
export const prefixBytes = 8;

const metadataKey = '__metadata__';

/** A checked header: every entry lies inside the data, and together they cover it exactly once. */
export interface Header {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Builds the error of one file. */
export type Refusal = (
  expected: string,
  received: string,
  remedy?: string,
  key?: string,
  cause?: unknown,
) => CheckpointError;

/** Errors about reading `file`; `undefined` stands for bytes in memory. */
export function refusalOf(file: string | undefined): Refusal {
  return (expected, received, remedy = 'Download or write the file again.', key, cause) =>
    new CheckpointError({ operation: 'read safetensors', file, key, expected, received, remedy, cause });
}

/** A short rendering of a value from a file, which may be arbitrarily large. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function remedyForPrefix(prefix: Uint8Array): string | undefined {
  const start = Buffer.from(prefix).toString('latin1');
  if (start.startsWith('version ')) {
    return 'The file looks like a Git LFS pointer: fetch the real file with "git lfs pull".';
  }
  if (start.startsWith('PK')) {
    return 'The file looks like a zip archive, such as a PyTorch .bin file: convert it to safetensors first.';
  }
  return undefined;
}

/**
 * Length of the header.
 *
 * @param prefix the first 8 bytes of the file, or all there are
 * @param fileBytes size of the file
 */
export function readHeaderLength(prefix: Uint8Array, fileBytes: number, refuse: Refusal): number {
  if (prefix.length < prefixBytes) {
    throw refuse(`at least ${prefixBytes} bytes`, `${prefix.length} bytes`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  const remedy = remedyForPrefix(prefix);
  if (length > BigInt(maxHeaderBytes)) {
    throw refuse(`a header of at most ${maxHeaderBytes} bytes`, `a header length of ${length}`, remedy);
  }
  const headerBytes = Number(length);
  if (prefixBytes + headerBytes > fileBytes) {
    const room = fileBytes - prefixBytes;
    throw refuse(
      `the ${headerBytes} bytes of header that the file announces`,
      `${room} bytes after the length`,
      remedy,
    );
  }
  return headerBytes;
}

function parseDocument(bytes: Uint8Array, refuse: Refusal): Record<string, unknown> {
  if (bytes[0] !== 0x7b) {
    throw refuse('a header that starts with {', bytes.length === 0 ? 'an empty header' : `byte ${bytes[0]}`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse('a header in UTF-8', 'bytes that are not UTF-8', undefined, undefined, cause);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw refuse('a header in JSON', show((cause as Error).message), undefined, undefined, cause);
  }
  if (!isRecord(document)) {
    throw refuse('a JSON object as header', show(document));
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    throw refuse('every key of the header once', `${show(repeated)} twice`, undefined, repeated);
  }
  return document;
}

function parseMetadata(value: unknown, refuse: Refusal): Readonly<Record<string, string>> {
  if (value === undefined) {
    return {};
  }
  if (!isRecord(value) || !Object.values(value).every((entry) => typeof entry === 'string')) {
    throw refuse('an object of strings', show(value), undefined, metadataKey);
  }
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, dataBytes: number, refuse: Refusal): TensorEntry {
  if (/\p{Surrogate}/u.test(name)) {
    throw refuse('a name in Unicode', 'a lone surrogate', undefined, name);
  }
  if (!isRecord(value)) {
    throw refuse('an object with dtype, shape and data_offsets', show(value), undefined, name);
  }
  const dtype = dtypeNamed(value.dtype);
  if (dtype === undefined) {
    throw refuse(`a dtype among ${Object.values(dtypeNames).join(', ')}`, show(value.dtype), undefined, name);
  }
  const { shape, data_offsets: offsets } = value;
  const byteLength = Array.isArray(shape) ? tensorByteLength(dtype, shape) : undefined;
  if (byteLength === undefined) {
    throw refuse('a shape of non-negative integers whose bytes can be counted', show(shape), undefined, name);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(Number.isSafeInteger)) {
    throw refuse('data_offsets of two integers', show(offsets), undefined, name);
  }
  const [begin, end] = offsets as [number, number];
  if (begin < 0 || end < begin || end > dataBytes) {
    throw refuse(`data_offsets in order within the ${dataBytes} bytes of data`, show(offsets), undefined, name);
  }
  if (end - begin !== byteLength) {
    const size = `${show(value.dtype)} of shape ${show(shape)}`;
    throw refuse(`${byteLength} bytes for ${size}`, `${end - begin} bytes at ${show(offsets)}`, undefined, name);
  }
  return { dtype, shape: shape as number[], byteLength, begin };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: ReadonlyMap<string, TensorEntry>, dataBytes: number, refuse: Refusal): void {
  const ordered = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.byteLength - b.byteLength);
  let covered = 0;
  for (const [name, { begin, byteLength }] of ordered) {
    if (begin !== covered) {
      const problem = begin < covered ? 'an overlap with another tensor' : `a hole of ${begin - covered} bytes`;
      throw refuse(`data that starts at byte ${covered}`, `${problem}, starting at ${begin}`, undefined, name);
    }
    covered = begin + byteLength;
  }
  if (covered !== dataBytes) {
    throw refuse(`${covered} bytes of data, as the header lists`, `${dataBytes} bytes`);
  }
}

/**
 * Reads and checks a header.
 *
 * @param bytes the header alone, without the length before it
 * @param dataBytes bytes after the header
 * @throws CheckpointError naming the first entry that is wrong
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, refuse: Refusal): Header {
  const { [metadataKey]: metadata, ...tensors } = parseDocument(bytes, refuse);
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(tensors)) {
    entries.set(name, parseEntry(name, value, dataBytes, refuse));
  }
  checkCoverage(entries, dataBytes, refuse);
  return { entries, metadata: parseMetadata(metadata, refuse) };
}

/**
 * The bytes before the data: length and header, padded with spaces so that the data starts at a multiple of 8.
 *
 * @param tensors in the order of their data
 */
export function formatHeader(
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array<ArrayBuffer> {
  const members = metadata === undefined ? [] : [`${JSON.stringify(metadataKey)}:${JSON.stringify(metadata)}`];
  let begin = 0;
  for (const [name, { dtype, shape, byteLength }] of tensors) {
    const end = begin + byteLength;
    const entry = { dtype: dtypeNames[dtype], shape, data_offsets: [begin, end] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    begin = end;
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(prefixBytes + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, prefixBytes);
  return bytes;
}
