import { insideTest } from './geometry.js';
import { MicroworldError } from './microworld-error.js';
import { CANVAS, objectBox, type SceneObject } from './scene.js';

/**
 * A binary mask as run lengths, in the uncompressed form of COCO: runs go down the columns, from the left column on, and
 * begin with a run of zeros, which may have length 0.
 */
export interface RunLengthMask {
  /** Height and width. */
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** The pixels whose centres an object covers in a picture of `size` × `size` pixels. */
export function objectMask(object: SceneObject, size: number): RunLengthMask {
  const unit = CANVAS / size;
  const [left, top, width, height] = objectBox(object);
  const first = (start: number): number => Math.max(0, Math.floor(start / unit));
  const end = (stop: number): number => Math.min(size, Math.ceil(stop / unit));
  const inside = insideTest(object);
  const pixels = new Uint8Array(size * size);
  for (let y = first(top); y < end(top + height); y++) {
    for (let x = first(left); x < end(left + width); x++) {
      if (inside((x + 0.5) * unit, (y + 0.5) * unit)) pixels[y * size + x] = 1;
    }
  }
  return encodeMask(pixels, size, size);
}

/**
 * Run lengths of a mask.
 *
 * @param pixels [height, width], zero or not
 */
export function encodeMask(pixels: Uint8Array, height: number, width: number): RunLengthMask {
  const counts: number[] = [];
  let value = 0;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const pixel = pixels[y * width + x] === 0 ? 0 : 1;
      if (pixel !== value) {
        counts.push(run);
        run = 0;
        value = pixel;
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

/**
 * The pixels of a mask.
 *
 * @returns [height, width], row-major, zeros and ones
 * @throws MicroworldError if the runs do not add up to the size
 */
export function decodeMask({ size: [height, width], counts }: RunLengthMask): Uint8Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total !== height * width) {
    throw new MicroworldError({
      operation: 'decodeMask',
      expected: `runs of ${height * width} pixels (${height}x${width})`,
      received: String(total),
      remedy: 'use the mask with the size it was made for',
      option: 'counts',
      value: total,
    });
  }
  const pixels = new Uint8Array(total);
  let position = 0;
  counts.forEach((count, index) => {
    if (index % 2 === 1) {
      for (let run = position; run < position + count; run++)
        pixels[(run % height) * width + Math.floor(run / height)] = 1;
    }
    position += count;
  });
  return pixels;
}

/** The mask moved by whole pixels; what leaves the picture is lost. */
export function shiftMask(mask: RunLengthMask, dx: number, dy: number): RunLengthMask {
  const [height, width] = mask.size;
  const pixels = decodeMask(mask);
  const moved = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = [x - dx, y - dy];
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)
        moved[y * width + x] = pixels[fromY * width + fromX]!;
    }
  }
  return encodeMask(moved, height, width);
}
