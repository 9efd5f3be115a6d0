// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3" (SC 2011). Ten rounds of multiplication and exclusive or turn a counter of four words into four random
// words under a key of two. All words are 32-bit integers.

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;

/** High word of a 32×32-bit product, from 16-bit halves: no partial sum below exceeds 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const cross = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/**
 * Fills `out` with the random words of consecutive counters: words 4i to 4i + 3 come from the counter
 * (firstBlock + i, counter1, counter2, counter3).
 *
 * @param firstBlock first word of the first counter; below 2³² together with the number of blocks
 */
export function philoxWordsInto(
  key0: number,
  key1: number,
  counter1: number,
  counter2: number,
  counter3: number,
  out: Uint32Array,
  firstBlock = 0,
): void {
  const length = out.length;
  for (let position = 0, block = firstBlock | 0; position < length; position += 4, block = (block + 1) | 0) {
    let c0 = block;
    let c1 = counter1 | 0;
    let c2 = counter2 | 0;
    let c3 = counter3 | 0;
    let k0 = key0 | 0;
    let k1 = key1 | 0;
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(c0, multiplier0);
      const low0 = Math.imul(c0, multiplier0);
      const high1 = multiplyHigh(c2, multiplier1);
      const low1 = Math.imul(c2, multiplier1);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + weyl0) | 0;
      k1 = (k1 + weyl1) | 0;
    }
    // Writes beyond the end of a typed array have no effect.
    out[position] = c0;
    out[position + 1] = c1;
    out[position + 2] = c2;
    out[position + 3] = c3;
  }
}

/** The four random words of one counter. */
export function philoxBlock(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
): Uint32Array {
  const words = new Uint32Array(4);
  philoxWordsInto(key[0], key[1], counter[1], counter[2], counter[3], words, counter[0]);
  return words;
}

/**
 * Fills `out` with uniform numbers in [0, 1), multiples of 2⁻²⁴. Element i depends on key, stream and i alone.
 *
 * @param key0 low word of the key
 * @param key1 high word of the key
 * @param stream an unsigned 32-bit integer; streams of one key are independent
 */
export function philoxUniformInto(key0: number, key1: number, stream: number, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  philoxWordsInto(key0, key1, 0, stream, 0, words);
  for (let i = 0; i < out.length; i++) {
    out[i] = (words[i]! >>> 8) * 2 ** -24;
  }
}
