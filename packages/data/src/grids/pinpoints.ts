import type { ImageSize } from '../image/rgb-image.js';
import { GridError } from './grid-error.js';

/** `(1x1),...,(6x6)`: from and to which columns and rows of tiles. */
const RANGE = /\((\d+)x(\d+)\)/g;

/** `(384, 768)` or `[384, 768]`: width and height in pixels. */
const PAIR = /[([]\s*(\d+)\s*,\s*(\d+)\s*[)\]]/g;

/**
 * Canvases as a model's `image_grid_pinpoints` has them: a list of [width, height] in pixels, the same as a Python
 * literal, or `(1x1),...,(6x6)` for every canvas from the first to the last number of tiles, columns in the outer loop.
 *
 * Source: LLaVA-VL/LLaVA-NeXT `llava/mm_utils.py`, `process_anyres_image`.
 *
 * @param tile side of a tile in pixels, which counts of tiles are multiplied by
 * @throws GridError if nothing can be read from the value
 */
export function parsePinpoints(pinpoints: string | readonly (readonly number[])[], tile: number): ImageSize[] {
  const sizes =
    typeof pinpoints === 'string'
      ? pinpoints.includes('x')
        ? tileRange(pinpoints, tile)
        : numberPairs(pinpoints, PAIR)
      : pinpoints;
  const valid = sizes.every((size) => size.length === 2 && size.every((side) => Number.isInteger(side) && side > 0));
  if (sizes.length > 0 && valid) return sizes.map(([width, height]) => ({ width: width!, height: height! }));
  throw new GridError({
    operation: 'parsePinpoints',
    expected: 'pairs of width and height in pixels, or a range of tiles such as (1x1),...,(6x6)',
    received: JSON.stringify(pinpoints),
    remedy: "copy image_grid_pinpoints of the model's config.json",
    value: pinpoints,
  });
}

function tileRange(text: string, tile: number): number[][] {
  const ends = numberPairs(text, RANGE);
  const [first, last] = [ends[0], ends.at(-1)];
  if (first === undefined || last === undefined) return [];
  const sizes: number[][] = [];
  for (let columns = first[0]!; columns <= last[0]!; columns++) {
    for (let rows = first[1]!; rows <= last[1]!; rows++) sizes.push([columns * tile, rows * tile]);
  }
  return sizes;
}

function numberPairs(text: string, pattern: RegExp): number[][] {
  return Array.from(text.matchAll(pattern), ([, first, second]) => [Number(first), Number(second)]);
}
