import { describe, expect, it } from 'vitest';
import { imageGrid } from '../../src/grids/image-grid.js';
import { siglipImageProcessor } from '../../src/image/image-processor.js';
import { preprocessImage } from '../../src/image/preprocess.js';
import type { RgbImage } from '../../src/image/rgb-image.js';
import { cutTiles, preprocessTiles, preprocessWhole } from '../../src/image/tiles.js';

const grid = imageGrid({ tile: 4, candidates: [{ width: 8, height: 8 }] });

/** Every pixel has the brightness 10 · row + column + 1. */
function numbered(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.fill(10 * Math.floor(pixel / width) + (pixel % width) + 1, pixel * 3, pixel * 3 + 3);
  }
  return { width, height, data };
}

/** One channel, row by row. */
const brightness = ({ width, data }: RgbImage): number[][] =>
  Array.from({ length: data.length / 3 / width }, (_, row) =>
    Array.from({ length: width }, (_, column) => data[(row * width + column) * 3]!),
  );

describe('cutTiles', () => {
  it('centres the image on black and cuts row by row, behind the whole image', () => {
    const tiles = cutTiles(numbered(8, 4), grid);
    expect(tiles.map(({ width, height }) => [width, height])).toEqual(Array(5).fill([4, 4]));
    expect(brightness(tiles[1]!)).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [1, 2, 3, 4],
      [11, 12, 13, 14],
    ]);
    expect(brightness(tiles[2]!)[2]).toEqual([5, 6, 7, 8]);
    expect(brightness(tiles[4]!)).toEqual([
      [25, 26, 27, 28],
      [35, 36, 37, 38],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('squeezes the whole image whatever its aspect ratio', () => {
    const [whole] = cutTiles(numbered(1, 8), grid);
    const rows = brightness(whole!);
    for (const row of rows) expect(new Set(row).size).toBe(1);
    expect(rows.map((row) => row[0]!)).toEqual(rows.map((row) => row[0]!).toSorted((a, b) => a - b));
  });
});

describe('preprocessTiles', () => {
  it('gives each tile to the processor', () => {
    const image = numbered(8, 4);
    const processor = siglipImageProcessor(4);
    const { data, ...rest } = preprocessTiles(image, grid, processor);
    expect(rest).toEqual({ width: 4, height: 4, tiles: 5, imageSize: { width: 8, height: 4 } });
    for (const [index, tile] of cutTiles(image, grid).entries()) {
      expect(data.slice(index * 48, (index + 1) * 48)).toEqual(preprocessImage(tile, processor).data);
    }
    const whole = preprocessWhole(image, processor);
    expect(whole).toMatchObject({ tiles: 1, imageSize: { width: 8, height: 4 }, width: 4 });
    expect(whole.data).toEqual(data.slice(0, 48));
  });

  it('refuses data that do not fit the sides', () => {
    expect(() => cutTiles({ width: 3, height: 3, data: new Uint8Array(5) }, grid)).toThrow(/27 bytes/);
  });
});
