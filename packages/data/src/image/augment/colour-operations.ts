import type { RgbImage } from '../rgb-image.js';

/**
 * How operations compute that the released code gets wrong.
 * - `published`, what ManagerTower (and ALBEF and BLIP, whose file it is) was trained with: AutoContrast negates an
 *   unsigned byte, so that a channel whose darkest pixel is not 0 becomes white; Sharpness lets values beyond a byte wrap
 *   around; Color and Contrast weigh red as blue, as they expect OpenCV's order and are given Pillow's.
 * - `corrected`: as Pillow's operations of these names are meant.
 */
export type AugmentArithmetic = 'published' | 'corrected';

/** Parts of red, green and blue in a grey. */
function greyWeights(arithmetic: AugmentArithmetic): readonly [number, number, number] {
  return arithmetic === 'published' ? [0.114, 0.587, 0.299] : [0.299, 0.587, 0.114];
}

const clampToByte = (value: number): number => Math.trunc(Math.min(Math.max(value, 0), 255));

/** Looks every byte up in its channel's table. */
function lookUp(image: RgbImage, tables: readonly (readonly number[])[]): RgbImage {
  return { ...image, data: image.data.map((byte, index) => tables[index % 3]![byte]!) };
}

function sameTable(image: RgbImage, value: (byte: number) => number): RgbImage {
  const table = Array.from({ length: 256 }, (_, byte) => value(byte));
  return lookUp(image, [table, table, table]);
}

/** How often each byte is in a channel. */
function histogram({ data }: RgbImage, channel: number): number[] {
  const counts = new Array<number>(256).fill(0);
  for (let index = channel; index < data.length; index += 3) counts[data[index]!]!++;
  return counts;
}

function perChannel(image: RgbImage, tableOf: (counts: readonly number[]) => readonly number[]): RgbImage {
  return lookUp(
    image,
    [0, 1, 2].map((channel) => tableOf(histogram(image, channel))),
  );
}

const unchanged = Array.from({ length: 256 }, (_, byte) => byte);

/** Stretches each channel from 0 to 255. */
export function autoContrast(image: RgbImage, arithmetic: AugmentArithmetic): RgbImage {
  return perChannel(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return unchanged;
    const scale = 255 / (high - low);
    const negated = arithmetic === 'published' ? (256 - low) % 256 : -low;
    return unchanged.map((byte) => clampToByte(byte * scale + negated * scale));
  });
}

/** Spreads the bytes of each channel so that all are about equally frequent. */
export function equalize(image: RgbImage): RgbImage {
  return perChannel(image, (counts) => {
    const last = counts.findLast((count) => count > 0) ?? 0;
    const pixels = counts.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((pixels - last) / 255);
    if (step === 0) return unchanged;
    let sum = Math.floor(step / 2);
    return counts.map((count) => {
      const value = clampToByte(Math.floor(sum / step));
      sum += count;
      return value;
    });
  });
}

/** Multiplies all bytes. */
export function brightness(image: RgbImage, factor: number): RgbImage {
  const single = Math.fround(factor);
  return sameTable(image, (byte) => clampToByte(Math.fround(byte * single)));
}

/** Moves all bytes away from, or towards, the image's mean grey. */
export function contrast(image: RgbImage, factor: number, arithmetic: AugmentArithmetic): RgbImage {
  const pixels = image.width * image.height;
  const sums = [0, 0, 0];
  for (const [index, byte] of image.data.entries()) sums[index % 3]! += byte;
  const weights = greyWeights(arithmetic);
  const mean = sums.reduce((total, sum, channel) => total + (sum / pixels) * weights[channel]!, 0);
  return sameTable(image, (byte) => clampToByte((byte - mean) * factor + mean));
}

/** Moves every pixel away from, or towards, its own grey. In single precision. */
export function colour(image: RgbImage, factor: number, arithmetic: AugmentArithmetic): RgbImage {
  const weights = greyWeights(arithmetic);
  const single = Math.fround(factor);
  /** What a byte of one channel adds to another. */
  const part = (from: number, to: number): number => {
    const weight = Math.fround(weights[from]!);
    const away = Math.fround((from === to ? 1 : 0) - weights[from]!);
    return Math.fround(Math.fround(away * single) + weight);
  };
  const matrix = [0, 1, 2].map((to) => [0, 1, 2].map((from) => part(from, to)));
  const { data: source } = image;
  const data = new Uint8Array(source.length);
  for (let index = 0; index < source.length; index++) {
    const row = matrix[index % 3]!;
    const pixel = index - (index % 3);
    const first = Math.fround(source[pixel]! * row[0]!);
    const second = Math.fround(first + Math.fround(source[pixel + 1]! * row[1]!));
    data[index] = clampToByte(Math.fround(second + Math.fround(source[pixel + 2]! * row[2]!)));
  }
  return { ...image, data };
}

/** Moves every pixel, but those of the border, away from the mean of its neighbourhood, itself counted five times. */
export function sharpness(image: RgbImage, factor: number, arithmetic: AugmentArithmetic): RgbImage {
  const { width, height, data: source } = image;
  const data = source.slice();
  const single = Math.fround(factor);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const index = (y * width + x) * 3 + channel;
        let sum = 4 * source[index]!;
        for (const row of [-3 * width, 0, 3 * width]) {
          for (const column of [-3, 0, 3]) sum += source[index + row + column]!;
        }
        const smooth = Math.round(sum / 13);
        const value = Math.fround(smooth + Math.fround(single * (source[index]! - smooth)));
        // A Uint8Array stores the lowest byte of what is cut to a whole number.
        data[index] = arithmetic === 'published' ? value : clampToByte(value);
      }
    }
  }
  return { ...image, data };
}

/** Inverts the bytes that are not below a threshold. */
export function solarize(image: RgbImage, threshold: number): RgbImage {
  return sameTable(image, (byte) => (byte < threshold ? byte : 255 - byte));
}

/** Keeps so many of the upper bits of all bytes. */
export function posterize(image: RgbImage, bits: number): RgbImage {
  const mask = (255 << (8 - bits)) & 255;
  return sameTable(image, (byte) => byte & mask);
}
