import { type RandomKey, type RandomSource, randomSource } from '../../random.js';
import { pasteOnCanvas } from '../canvas.js';
import { resize } from '../resize.js';
import { assertImageSize, assertRgbImage, type ImageSize, type RgbImage } from '../rgb-image.js';
import type { Augmentation } from './augmentation.js';
import { applyAugmentOperation } from './operations.js';

/** How often a part is drawn before the largest one in the middle is taken (torchvision's `RandomResizedCrop`). */
const ATTEMPTS = 10;

/** A part of an image, in pixels. */
export interface CropWindow extends ImageSize {
  readonly left: number;
  readonly top: number;
}

/**
 * A training image: a random part scaled bicubically, mirrored or not, and changed by RandAugment (Cubuk et al. 2020). The
 * same key gives the same bytes. `preprocessImage(result, squashImageProcessor(side))` makes the input of the tower.
 *
 * @param image [height, width, 3]
 * @returns [size.height, size.width, 3]
 * @throws ImageError if the image's sides and data do not agree, or the size is none
 */
export function augmentImage(image: RgbImage, config: Augmentation, size: ImageSize, key: RandomKey): RgbImage {
  assertRgbImage(image, 'augmentImage');
  assertImageSize(size, 'augmentImage');
  const random = randomSource(key);
  const part = config.crop === null ? image : cut(image, drawCrop(image, config.crop, random));
  const scaled = resize(part, size, 'bicubic');
  return randAugment(random.chance(config.flip) ? mirror(scaled) : scaled, config, random);
}

/**
 * A part of so much area and such a ratio, both drawn uniformly (the ratio by its logarithm), as torchvision's
 * `RandomResizedCrop`: one that does not fit is drawn anew, at last the largest in the middle that the ratios allow.
 */
export function drawCrop(
  { width, height }: ImageSize,
  { area, ratio }: NonNullable<Augmentation['crop']>,
  random: RandomSource,
): CropWindow {
  const between = (low: number, high: number): number => low + (high - low) * random.float();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pixels = width * height * between(...area);
    const shape = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1])));
    const columns = Math.round(Math.sqrt(pixels * shape));
    const rows = Math.round(Math.sqrt(pixels / shape));
    if (columns > 0 && columns <= width && rows > 0 && rows <= height) {
      const top = random.integer(height - rows + 1);
      return { left: random.integer(width - columns + 1), top, width: columns, height: rows };
    }
  }
  const columns = Math.max(1, Math.min(width, Math.round(height * ratio[1])));
  const rows = Math.max(1, Math.min(height, Math.round(width / ratio[0])));
  return {
    left: Math.floor((width - columns) / 2),
    top: Math.floor((height - rows) / 2),
    width: columns,
    height: rows,
  };
}

/** Draws operations and carries out some of them. */
export function randAugment(
  image: RgbImage,
  { operations, count, probability, level, fill, arithmetic }: Augmentation,
  random: RandomSource,
): RgbImage {
  const drawn = Array.from({ length: count }, () => random.pick(operations));
  return drawn.reduce((changed, operation) => {
    const carriedOut = random.chance(probability);
    const sign = random.chance(0.5) ? -1 : 1;
    return carriedOut ? applyAugmentOperation(changed, operation, { level, sign, fill, arithmetic }) : changed;
  }, image);
}

function cut(image: RgbImage, { left, top, width, height }: CropWindow): RgbImage {
  return pasteOnCanvas(image, { width, height }, { left: -left, top: -top });
}

function mirror({ width, height, data: source }: RgbImage): RgbImage {
  const data = new Uint8Array(source.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + width - 1 - x) * 3;
      data.set(source.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data };
}
