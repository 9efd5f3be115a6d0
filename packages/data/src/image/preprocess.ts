import { centreCrop, padToSquare } from './canvas.js';
import { ImageError } from './image-error.js';
import type { ImageProcessor } from './image-processor.js';
import { resize } from './resize.js';
import { assertRgbImage, type ImageSize, type RgbColour, type RgbImage } from './rgb-image.js';

/** Pixels as a vision tower takes them: `data` is [3, height, width]. */
export interface PixelValues {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/**
 * Turns an image into the input of a vision tower: square padding, resize on bytes, centre crop, rescaling,
 * normalisation and zero padding, each as the processor says. Bit-equal to `CLIPImageProcessor`, `SiglipImageProcessor`
 * and `SamImageProcessor` of Hugging Face transformers: the byte times the factor is rounded to float32, subtraction and
 * division are float32.
 *
 * @param image [height, width, 3]
 * @returns data [3, height, width]
 * @throws ImageError if the image's sides and data do not agree, or it is larger than what it is to be padded to
 */
export function preprocessImage(image: RgbImage, processor: ImageProcessor): PixelValues {
  assertRgbImage(image, 'preprocessImage');
  const squared = processor.padToSquare ? padToSquare(image, padColour(processor.mean)) : image;
  const resized =
    processor.resize === null ? squared : resize(squared, targetSize(squared, processor.resize), processor.filter);
  const cropped = processor.crop === null ? resized : centreCrop(resized, processor.crop);
  const pixels = normalise(cropped, processor);
  return processor.pad === null ? pixels : padWithZeros(pixels, processor.pad);
}

/** The colour of square padding: trunc(255 · mean). */
export function padColour(mean: readonly [number, number, number]): RgbColour {
  return [Math.trunc(255 * mean[0]), Math.trunc(255 * mean[1]), Math.trunc(255 * mean[2])];
}

/** Size after `resize`; the other side is truncated where a shortest edge is given, and rounded for a longest one. */
export function targetSize(image: ImageSize, resize: NonNullable<ImageProcessor['resize']>): ImageSize {
  if ('longestEdge' in resize) {
    const scale = resize.longestEdge / Math.max(image.width, image.height);
    // Of an extreme aspect ratio nothing would be left.
    const scaled = (length: number) => Math.max(1, Math.trunc(length * scale + 0.5));
    return { width: scaled(image.width), height: scaled(image.height) };
  }
  if (!('shortestEdge' in resize)) return resize;
  const short = Math.min(image.width, image.height);
  const long = Math.trunc((resize.shortestEdge * Math.max(image.width, image.height)) / short);
  return image.width <= image.height
    ? { width: resize.shortestEdge, height: long }
    : { width: long, height: resize.shortestEdge };
}

/** Every channel has 256 possible results, computed once; the loop only looks them up and goes from HWC to CHW. */
function normalise(image: RgbImage, { rescaleFactor, mean, std }: ImageProcessor): PixelValues {
  const pixels = image.width * image.height;
  const data = new Float32Array(3 * pixels);
  const table = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    const channelMean = Math.fround(mean[channel]!);
    const channelStd = Math.fround(std[channel]!);
    for (let byte = 0; byte < 256; byte++) {
      const rescaled = Math.fround(rescaleFactor === null ? byte : byte * rescaleFactor);
      table[byte] = Math.fround(rescaled - channelMean) / channelStd;
    }
    const plane = channel * pixels;
    for (let pixel = 0; pixel < pixels; pixel++) data[plane + pixel] = table[image.data[pixel * 3 + channel]!]!;
  }
  return { data, height: image.height, width: image.width };
}

/** pixels [3, height, width] in the upper left of zeros [3, size.height, size.width]. */
function padWithZeros(pixels: PixelValues, size: ImageSize): PixelValues {
  const { width, height } = pixels;
  if (width > size.width || height > size.height) {
    throw new ImageError({
      operation: 'preprocessImage',
      source: 'pad',
      expected: `an image of at most ${size.width}x${size.height} pixels`,
      received: `${width}x${height} pixels`,
      remedy: 'resize to at most the padded size',
    });
  }
  const data = new Float32Array(3 * size.width * size.height);
  for (let row = 0; row < 3 * height; row++) {
    const top = Math.floor(row / height) * size.height + (row % height);
    data.set(pixels.data.subarray(row * width, (row + 1) * width), top * size.width);
  }
  return { data, width: size.width, height: size.height };
}
