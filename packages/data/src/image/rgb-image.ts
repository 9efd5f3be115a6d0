import { ImageError } from './image-error.js';

/** An 8-bit RGB image. `data` is [height, width, 3], row-major. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Width and height in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** More pixels than this are refused, as Pillow refuses them in files: a strip of 1 x 100,000 scaled by its short side. */
export const MAXIMUM_PIXELS = 178_956_970;

/** An RGB colour, a byte a channel. */
export type RgbColour = readonly [red: number, green: number, blue: number];

/**
 * Checks that a value is a usable image: positive integer sides and exactly height · width · 3 bytes.
 *
 * @throws ImageError naming the operation
 */
export function assertRgbImage(image: RgbImage, operation: string): void {
  assertImageSize(image, operation);
  const expected = image.width * image.height * 3;
  if (image.data.length !== expected) {
    throw new ImageError({
      operation,
      source: `${image.width}x${image.height} image`,
      expected: `${expected} bytes (height · width · 3)`,
      received: `${image.data.length} bytes`,
      remedy: 'pass interleaved RGB bytes without alpha or row padding',
    });
  }
}

/**
 * Checks that both sides are positive integers and their product is at most {@link MAXIMUM_PIXELS}.
 *
 * @throws ImageError naming the operation
 */
export function assertImageSize(size: ImageSize, operation: string): void {
  for (const side of ['width', 'height'] as const) {
    if (!Number.isInteger(size[side]) || size[side] < 1) {
      throw new ImageError({
        operation,
        source: side,
        expected: 'a positive integer number of pixels',
        received: String(size[side]),
        remedy: `give a ${side} of at least 1`,
      });
    }
  }
  if (size.width * size.height > MAXIMUM_PIXELS) {
    throw new ImageError({
      operation,
      source: 'size',
      expected: `at most ${MAXIMUM_PIXELS} pixels`,
      received: `${size.width}x${size.height}`,
      remedy: 'use a smaller size, or leave out images of extreme aspect ratio',
    });
  }
}

/** A new image of one colour. */
export function solidImage(size: ImageSize, colour: RgbColour): RgbImage {
  assertImageSize(size, 'solidImage');
  const data = new Uint8Array(size.width * size.height * 3);
  for (let offset = 0; offset < data.length; offset += 3) data.set(colour, offset);
  return { width: size.width, height: size.height, data };
}
