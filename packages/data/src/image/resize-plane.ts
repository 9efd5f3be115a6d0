import type { Kernel } from './resample-filter.js';
import type { ImageSize } from './rgb-image.js';

/** Weights of every output position along one axis. */
interface FloatTaps {
  /** Index of the first source position, one an output. */
  readonly first: Int32Array;
  /** Number of taps, one an output. */
  readonly count: Int32Array;
  /** Weights, one after the other in blocks of `stride`. */
  readonly weights: Float64Array;
  readonly stride: number;
}

/**
 * Resizes one channel of floats as torch's `interpolate` with antialiasing does it: separable, horizontal pass first,
 * rounded to float32 after each; shrinking widens the kernel. Positions are those of Pillow, whose bytes `resize` gives.
 *
 * @param plane [size.height, size.width]
 * @returns [target.height, target.width]
 */
export function resizePlane(plane: Float32Array, size: ImageSize, target: ImageSize, kernel: Kernel): Float32Array {
  const narrowed = new Float32Array(size.height * target.width);
  const across = floatTaps(size.width, target.width, kernel);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < target.width; x++) {
      const start = y * size.width + across.first[x]!;
      let sum = 0;
      for (let tap = 0; tap < across.count[x]!; tap++)
        sum += plane[start + tap]! * across.weights[x * across.stride + tap]!;
      narrowed[y * target.width + x] = sum;
    }
  }
  const result = new Float32Array(target.height * target.width);
  const down = floatTaps(size.height, target.height, kernel);
  const sums = new Float64Array(target.width);
  for (let y = 0; y < target.height; y++) {
    sums.fill(0);
    // Whole rows are accumulated tap by tap, so that memory is read in order.
    for (let tap = 0; tap < down.count[y]!; tap++) {
      const weight = down.weights[y * down.stride + tap]!;
      const row = (down.first[y]! + tap) * target.width;
      for (let x = 0; x < target.width; x++) sums[x]! += narrowed[row + x]! * weight;
    }
    result.set(sums, y * target.width);
  }
  return result;
}

function floatTaps(inputLength: number, outputLength: number, kernel: Kernel): FloatTaps {
  const scale = inputLength / outputLength;
  const widening = Math.max(scale, 1);
  const support = kernel.radius * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputLength);
  const count = new Int32Array(outputLength);
  const weights = new Float64Array(outputLength * stride);
  for (let output = 0; output < outputLength; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), inputLength) - start;
    const block = weights.subarray(output * stride, output * stride + taps);
    let total = 0;
    for (let tap = 0; tap < taps; tap++) {
      block[tap] = kernel.weight((tap + start - centre + 0.5) / widening);
      total += block[tap]!;
    }
    for (let tap = 0; tap < taps; tap++) block[tap]! /= total;
    first[output] = start;
    count[output] = taps;
  }
  return { first, count, weights, stride };
}
