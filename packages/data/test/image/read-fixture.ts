import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A tensor of a fixture; 64-bit integers are given as numbers. */
export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Float64Array;
}

export interface Fixture {
  readonly kind: string;
  readonly config: unknown;
  readonly tensors: Readonly<Record<string, FixtureTensor>>;
}

export const fixturePath = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** Reads a safetensors file: an 8-byte little-endian length, a JSON header, the data. */
export function readFixture(name: string): Fixture {
  const file = readFileSync(fixturePath(name));
  const headerLength = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Header;
  const tensors: Record<string, FixtureTensor> = {};
  for (const [key, entry] of Object.entries(entries as Record<string, HeaderEntry>)) {
    const [start, end] = entry.data_offsets;
    const bytes = Uint8Array.from(file.subarray(8 + headerLength + start, 8 + headerLength + end));
    tensors[key] = { shape: entry.shape, data: decode(entry.dtype, bytes.buffer) };
  }
  return { kind: metadata.kind, config: JSON.parse(metadata.config), tensors };
}

interface Header {
  __metadata__: { config: string; kind: string };
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

function decode(dtype: string, buffer: ArrayBuffer): FixtureTensor['data'] {
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'U8':
      return new Uint8Array(buffer);
    case 'I64':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    default:
      throw new Error(`readFixture: no reader for dtype ${dtype}`);
  }
}
