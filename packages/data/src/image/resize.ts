import { ImageError } from './image-error.js';
import { KERNELS, type Kernel, RESAMPLE_FILTERS, type ResampleFilter } from './resample-filter.js';
import { assertImageSize, assertRgbImage, type ImageSize, type RgbImage } from './rgb-image.js';

/** Fraction bits of a fixed-point weight: 32 minus 8 for the byte and 2 for kernels that leave 0…1. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

/** Taps of every output position along one axis. */
interface Taps {
  /** Index of the first source position, one an output. */
  readonly first: Int32Array;
  /** Number of taps, one an output. */
  readonly count: Int32Array;
  /** Fixed-point weights [output, stride]. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Resizes on bytes, bit for bit as Pillow: separable, horizontal pass first, rounded to bytes between the passes, in
 * fixed point. Shrinking widens the kernel, so it always antialiases. An axis whose size does not change is copied.
 *
 * @param image [height, width, 3]
 * @returns [size.height, size.width, 3]
 * @throws ImageError if a side is not a positive integer, the data does not fit the sides or the filter is unknown
 */
export function resize(image: RgbImage, size: ImageSize, filter: ResampleFilter): RgbImage {
  assertRgbImage(image, 'resize');
  assertImageSize(size, 'resize');
  if (!RESAMPLE_FILTERS.includes(filter)) {
    throw new ImageError({
      operation: 'resize',
      source: 'filter',
      expected: `one of ${RESAMPLE_FILTERS.join(', ')}`,
      received: String(filter),
      remedy: 'choose one of these filters',
    });
  }
  if (filter === 'nearest') return resizeNearest(image, size);
  const kernel = KERNELS[filter];
  const narrowed = size.width === image.width ? image : resizeHorizontally(image, size.width, kernel);
  const result = size.height === image.height ? narrowed : resizeVertically(narrowed, size.height, kernel);
  return result === image ? { ...image, data: image.data.slice() } : result;
}

/** Taps of an axis; weights are normalised in double precision, then rounded half away from zero. */
function computeTaps(inputLength: number, outputLength: number, kernel: Kernel): Taps {
  const scale = inputLength / outputLength;
  const widening = Math.max(scale, 1);
  const inverse = 1 / widening;
  const support = kernel.radius * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputLength);
  const count = new Int32Array(outputLength);
  const weights = new Int32Array(outputLength * stride);
  const exact = new Float64Array(stride);
  for (let output = 0; output < outputLength; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), inputLength) - start;
    let total = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = kernel.weight((tap + start - centre + 0.5) * inverse);
      exact[tap] = weight;
      total += weight;
    }
    for (let tap = 0; tap < taps; tap++) {
      const scaled = (total === 0 ? exact[tap]! : exact[tap]! / total) * 2 ** PRECISION_BITS;
      weights[output * stride + tap] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    first[output] = start;
    count[output] = taps;
  }
  return { first, count, weights, stride };
}

/** `result` clamps when it stores: the sums are shifted to whole bytes that a kernel with negative lobes may overshoot. */
function resizeHorizontally(image: RgbImage, width: number, kernel: Kernel): RgbImage {
  const { first, count, weights, stride } = computeTaps(image.width, width, kernel);
  const source = image.data;
  const result = new Uint8ClampedArray(width * image.height * 3);
  let target = 0;
  for (let y = 0; y < image.height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let offset = row + first[x]! * 3;
      const start = x * stride;
      const end = start + count[x]!;
      for (let tap = start; tap < end; tap++) {
        const weight = weights[tap]!;
        red = (red + Math.imul(source[offset]!, weight)) | 0;
        green = (green + Math.imul(source[offset + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[offset + 2]!, weight)) | 0;
        offset += 3;
      }
      result[target] = red >> PRECISION_BITS;
      result[target + 1] = green >> PRECISION_BITS;
      result[target + 2] = blue >> PRECISION_BITS;
      target += 3;
    }
  }
  return { width, height: image.height, data: new Uint8Array(result.buffer) };
}

/** Whole rows are accumulated tap by tap, so that memory is read in order. */
function resizeVertically(image: RgbImage, height: number, kernel: Kernel): RgbImage {
  const { first, count, weights, stride } = computeTaps(image.height, height, kernel);
  const source = image.data;
  const rowLength = image.width * 3;
  const result = new Uint8ClampedArray(rowLength * height);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < count[y]!; tap++) {
      const weight = weights[y * stride + tap]!;
      const row = (first[y]! + tap) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x] = (sums[x]! + Math.imul(source[row + x]!, weight)) | 0;
    }
    const target = y * rowLength;
    for (let x = 0; x < rowLength; x++) result[target + x] = sums[x]! >> PRECISION_BITS;
  }
  return { width: image.width, height, data: new Uint8Array(result.buffer) };
}

function resizeNearest(image: RgbImage, size: ImageSize): RgbImage {
  const columns = nearestPositions(image.width, size.width);
  const rows = nearestPositions(image.height, size.height);
  const data = new Uint8Array(size.width * size.height * 3);
  let target = 0;
  for (let y = 0; y < size.height; y++) {
    const row = rows[y]! * image.width;
    for (let x = 0; x < size.width; x++) {
      const offset = (row + columns[x]!) * 3;
      data[target] = image.data[offset]!;
      data[target + 1] = image.data[offset + 1]!;
      data[target + 2] = image.data[offset + 2]!;
      target += 3;
    }
  }
  return { width: size.width, height: size.height, data };
}

/** Pillow steps by repeated addition, which decides the source pixel where (i + ½) · scale is nearly an integer. */
function nearestPositions(inputLength: number, outputLength: number): Int32Array {
  const scale = inputLength / outputLength;
  const positions = new Int32Array(outputLength);
  let position = scale * 0.5;
  for (let output = 0; output < outputLength; output++) {
    positions[output] = Math.min(Math.trunc(position), inputLength - 1);
    position += scale;
  }
  return positions;
}
