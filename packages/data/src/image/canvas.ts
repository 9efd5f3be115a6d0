import { ImageError } from './image-error.js';
import {
  assertImageSize,
  assertRgbImage,
  type ImageSize,
  type RgbColour,
  type RgbImage,
  solidImage,
} from './rgb-image.js';

/**
 * Places an image on a canvas. Parts outside the canvas are cut off, uncovered canvas keeps the colour, so one
 * operation both pads and crops.
 *
 * @param left column of the canvas at which the image starts; may be negative
 * @param top row of the canvas at which the image starts; may be negative
 * @returns [size.height, size.width, 3]
 * @throws ImageError if the canvas has no pixels or an offset is not an integer
 */
export function pasteOnCanvas(
  image: RgbImage,
  size: ImageSize,
  { left, top, colour = [0, 0, 0] }: { readonly left: number; readonly top: number; readonly colour?: RgbColour },
): RgbImage {
  assertRgbImage(image, 'pasteOnCanvas');
  assertImageSize(size, 'pasteOnCanvas');
  if (!Number.isInteger(left) || !Number.isInteger(top)) {
    throw new ImageError({
      operation: 'pasteOnCanvas',
      source: 'offset',
      expected: 'integer left and top',
      received: `left ${left}, top ${top}`,
      remedy: 'round the offsets first',
    });
  }
  const canvas = solidImage(size, colour);
  const firstColumn = Math.max(left, 0);
  const columns = Math.min(left + image.width, size.width) - firstColumn;
  if (columns <= 0) return canvas;
  for (let y = Math.max(top, 0); y < Math.min(top + image.height, size.height); y++) {
    const source = ((y - top) * image.width + (firstColumn - left)) * 3;
    canvas.data.set(image.data.subarray(source, source + columns * 3), (y * size.width + firstColumn) * 3);
  }
  return canvas;
}

/**
 * Centre crop as the image processors of Hugging Face transformers do it (`image_transforms.py`): the window starts at
 * ⌊(old − new) / 2⌋; along an axis that is shorter than the window, the image is padded with black, ⌈(new − old) / 2⌉ of it first.
 *
 * @returns [size.height, size.width, 3]
 */
export function centreCrop(image: RgbImage, size: ImageSize): RgbImage {
  const start = (length: number, window: number): number =>
    length >= window ? -Math.floor((length - window) / 2) : Math.ceil((window - length) / 2);
  return pasteOnCanvas(image, size, { left: start(image.width, size.width), top: start(image.height, size.height) });
}

/**
 * Pads the short axis on both sides to a square of the long one, as LLaVA's `expand2square` (`llava/mm_utils.py`): the
 * image starts at ⌊(long − short) / 2⌋.
 *
 * @returns [side, side, 3] with side = max(height, width)
 */
export function padToSquare(image: RgbImage, colour: RgbColour): RgbImage {
  const side = Math.max(image.width, image.height);
  return pasteOnCanvas(
    image,
    { width: side, height: side },
    { left: Math.floor((side - image.width) / 2), top: Math.floor((side - image.height) / 2), colour },
  );
}
