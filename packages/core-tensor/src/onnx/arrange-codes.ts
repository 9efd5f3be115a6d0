import { type Bnb4Format, codebooks } from '../quantization/codebook.js';

/** The high and the low halves of bytes [rows, count], packed as 4-bit codes: each [rows, ⌈count / 2⌉]. */
export function splitBytes(
  bytes: Uint8Array,
  [rows, count]: readonly [number, number],
): { readonly high: Uint8Array; readonly low: Uint8Array } {
  const width = Math.ceil(count / 2);
  const high = new Uint8Array(rows * width);
  const low = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * count;
    let to = row * width;
    for (let i = row * count; i < end; i += 2) {
      const first = bytes[i]!;
      const second = i + 1 < end ? bytes[i + 1]! : 0;
      high[to] = (first >> 4) | (second & 0xf0);
      low[to++] = (first & 15) | ((second & 15) << 4);
    }
  }
  return { high, low };
}

/** What the middle of the scale is in {@link roundCodebook}. */
const middle = 128;

/** 4-bit codes as the nearest multiples of 1/127 of what they stand for, in one byte each, 128 being 0. */
export function roundCodebook(packed: Uint8Array, count: number, format: Bnb4Format): Uint8Array {
  const rounded = Uint8Array.from(codebooks[format], (value) => middle + Math.round(value * 127));
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const byte = packed[i >> 1]!;
    codes[i] = rounded[i % 2 === 0 ? byte >> 4 : byte & 15]!;
  }
  return codes;
}
