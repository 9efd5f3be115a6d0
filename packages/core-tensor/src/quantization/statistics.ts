import { type NearestCode, nearestCode } from './codebook.js';

/** Scales that share a scale of their own. */
export const statisticsBlockSize = 256;

/** The scales of a 4-bit tensor in 8 bits: scale = map[code] · absmax + offset. */
export interface CompressedStatistics {
  readonly codes: Uint8Array;
  /** Largest magnitude of each block of 256 scales after the offset was subtracted. */
  readonly absmax: Float32Array;
  /** Mean of the scales. */
  readonly offset: number;
  /** What the 256 codes stand for. */
  readonly map: Float32Array;
}

/**
 * The dynamic 8-bit map of bitsandbytes (Dettmers 2016; `functional.py`, `create_dynamic_map`): seven decades, each
 * with twice as many values as the one below, in float32.
 */
export const dynamicMap: Float32Array = createDynamicMap();

function createDynamicMap(): Float32Array {
  const values = [0, 1];
  for (let exponent = 0; exponent < 7; exponent++) {
    const intervals = 2 ** exponent;
    const boundary = (i: number) => Math.fround(0.1 + (0.9 * i) / intervals);
    for (let i = 0; i < intervals; i++) {
      const mean = Math.fround(Math.fround(boundary(i) + boundary(i + 1)) / 2);
      const value = Math.fround(10 ** (exponent - 6)) * mean;
      values.push(value, -value);
    }
  }
  return Float32Array.from(values).sort();
}

let nearest: NearestCode | undefined;

/** Quantizes scales to 8 bits in blocks of 256 (`compress_statistics`, Dettmers et al. 2023, section 3). */
export function compressStatistics(scales: Float32Array): CompressedStatistics {
  nearest ??= nearestCode(dynamicMap);
  const offset = Math.fround(scales.reduce((sum, scale) => sum + scale, 0) / Math.max(1, scales.length));
  const codes = new Uint8Array(scales.length);
  const absmax = new Float32Array(Math.ceil(scales.length / statisticsBlockSize));
  for (let block = 0; block < absmax.length; block++) {
    const begin = block * statisticsBlockSize;
    const part = scales.subarray(begin, begin + statisticsBlockSize).map((scale) => scale - offset);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const reciprocal = Math.fround(1 / largest);
    absmax[block] = largest;
    for (const [i, value] of part.entries()) {
      const x = Number.isFinite(reciprocal) ? Math.max(-1, Math.min(1, Math.fround(value * reciprocal))) : 0;
      codes[begin + i] = nearest.codes[placeOf(x, nearest.bounds)]!;
    }
  }
  return { codes, absmax, offset, map: dynamicMap };
}

/** The scales behind compressed ones. */
export function restoreStatistics({ codes, absmax, offset, map }: CompressedStatistics): Float32Array {
  return Float32Array.from(
    codes,
    (code, i) => Math.fround(map[code]! * absmax[Math.floor(i / statisticsBlockSize)]!) + offset,
  );
}

/** Number of bounds below x. */
function placeOf(x: number, bounds: Float64Array): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
