/** Bits of the float32 that equals each of the 65536 float16 patterns; 256 KiB, built on first use. */
let float16Bits: Uint32Array | undefined;

function float16BitsTable(): Uint32Array {
  if (float16Bits !== undefined) {
    return float16Bits;
  }
  const table = new Uint32Array(65536);
  const values = new Float32Array(table.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const mantissa = half & 0x3ff;
    if (exponent === 31) {
      table[half] = sign | 0x7f800000 | (mantissa << 13);
    } else if (exponent === 0) {
      // Subnormal: every one of them is a normal float32.
      values[half] = mantissa * 2 ** -24;
      table[half]! |= sign;
    } else {
      table[half] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    }
  }
  float16Bits = table;
  return table;
}

/** The same bytes as unsigned words: writing NaN through a number may change its payload, writing bits does not. */
function wordsOf(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}

/**
 * Float16 bit patterns to float32, exactly: subnormals, infinities and NaN payloads are kept.
 *
 * @param target receives the values; at least as long as `source`
 * @returns `target`, or a new array
 */
export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const table = float16BitsTable();
  const words = wordsOf(target);
  for (let i = 0; i < source.length; i++) {
    words[i] = table[source[i]!]!;
  }
  return target;
}

function float16FromWord(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x38800000) {
    if (magnitude < 0x477ff000) {
      // Normal range: rebias the exponent (127 → 15), add half a unit less one, and the last kept bit for ties.
      return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    }
    if (magnitude <= 0x7f800000) {
      return sign | 0x7c00;
    }
    // A payload that lies below the kept bits would read as infinity.
    return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  }
  if (magnitude < 0x33000000) {
    return sign; // below 2⁻²⁵, half of the smallest subnormal
  }
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const halfUnit = 1 << (shift - 1);
  return sign | ((mantissa + halfUnit - 1 + ((mantissa >>> shift) & 1)) >>> shift);
}

/**
 * Float32 to float16 bit patterns, rounded to nearest, ties to even: 65520 and more give infinity, subnormals are
 * kept, NaN stays NaN with the leading bits of its payload.
 *
 * @param target receives the bit patterns; at least as long as `source`
 * @returns `target`, or a new array
 */
export function float32ToFloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const words = wordsOf(source);
  for (let i = 0; i < words.length; i++) {
    target[i] = float16FromWord(words[i]!);
  }
  return target;
}

/**
 * Bfloat16 bit patterns to float32, exactly: they are the upper half of its bits.
 *
 * @param target receives the values; at least as long as `source`
 * @returns `target`, or a new array
 */
export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const words = wordsOf(target);
  const pairs = source.byteOffset % 4 === 0 ? source.length >> 1 : 0;
  // Two at a time, the first in the lower half of the word: a third faster.
  const pairWords = new Uint32Array(source.buffer, pairs === 0 ? 0 : source.byteOffset, pairs);
  for (let i = 0; i < pairs; i++) {
    const pair = pairWords[i]!;
    words[2 * i] = pair << 16;
    words[2 * i + 1] = pair & 0xffff0000;
  }
  for (let i = 2 * pairs; i < source.length; i++) {
    words[i] = source[i]! << 16;
  }
  return target;
}

/**
 * Float32 to bfloat16 bit patterns, rounded to nearest, ties to even; NaN stays NaN with the leading bits of its
 * payload.
 *
 * @param target receives the bit patterns; at least as long as `source`
 * @returns `target`, or a new array
 */
export function float32ToBfloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const words = wordsOf(source);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if ((word & 0x7fffffff) > 0x7f800000) {
      const leading = word >>> 16;
      // A payload that lies below the kept bits would read as infinity.
      target[i] = (leading & 0x7f) === 0 ? leading | 0x40 : leading;
    } else {
      target[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  }
  return target;
}
