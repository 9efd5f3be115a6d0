import { fitOnCanvas } from '../grids/grid-layout.js';
import type { ImageGrid } from '../grids/image-grid.js';
import { selectBestResolution } from '../grids/select-best-resolution.js';
import { pasteOnCanvas } from './canvas.js';
import type { ImageProcessor } from './image-processor.js';
import { type PixelValues, preprocessImage } from './preprocess.js';
import { resize } from './resize.js';
import type { ImageSize, RgbImage } from './rgb-image.js';

/** What a vision tower is given of one image: `data` is [tiles, 3, height, width]. */
export interface TilePixels extends PixelValues {
  /** Tower inputs: 1, or the whole image and its tiles. */
  readonly tiles: number;
  /** Of the image before anything was done to it. */
  readonly imageSize: ImageSize;
}

/**
 * Cuts an image of any resolution into tiles: the whole image squeezed into one tile whatever its aspect ratio, then, row
 * by row, the tiles of the canvas that suits it best, on which it is centred on black in its own aspect ratio.
 *
 * Source: LLaVA-VL/LLaVA-NeXT `llava/mm_utils.py`, `process_anyres_image`. Equal to Pillow's bytes.
 *
 * @returns 1 + tiles images of [tile, tile, 3]
 * @throws ImageError if the image's sides and data do not agree
 */
export function cutTiles(image: RgbImage, { tile, candidates, filter }: ImageGrid): RgbImage[] {
  const square = { width: tile, height: tile };
  const size = selectBestResolution(image, candidates);
  const { left, top, width, height } = fitOnCanvas(image, size);
  const canvas = pasteOnCanvas(resize(image, { width, height }, filter), size, { left, top });
  const tiles = [resize(image, square, filter)];
  for (let y = 0; y < size.height; y += tile) {
    for (let x = 0; x < size.width; x += tile) tiles.push(pasteOnCanvas(canvas, square, { left: -x, top: -y }));
  }
  return tiles;
}

/** The whole image as one input of a vision tower. */
export function preprocessWhole(image: RgbImage, processor: ImageProcessor): TilePixels {
  return { ...preprocessImage(image, processor), tiles: 1, imageSize: { width: image.width, height: image.height } };
}

/**
 * Cuts an image into tiles and turns each into the input of a vision tower.
 *
 * @returns data [1 + tiles, 3, height, width]
 * @throws ImageError if the image's sides and data do not agree
 */
export function preprocessTiles(image: RgbImage, grid: ImageGrid, processor: ImageProcessor): TilePixels {
  const { width, height } = image;
  return joinTiles(
    cutTiles(image, grid).map((tile) => preprocessImage(tile, processor)),
    { width, height },
  );
}

function joinTiles(tiles: readonly PixelValues[], imageSize: ImageSize): TilePixels {
  const { width, height } = tiles[0]!;
  const data = new Float32Array(tiles.length * 3 * height * width);
  for (const [index, tile] of tiles.entries()) data.set(tile.data, index * tile.data.length);
  return { data, width, height, tiles: tiles.length, imageSize };
}
