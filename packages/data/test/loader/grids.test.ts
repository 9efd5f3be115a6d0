import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/collate/batch.js';
import { collate } from '../../src/collate/collate.js';
import { VISUAL_TOKEN } from '../../src/collate/tokenize-segments.js';
import type { Conversation } from '../../src/conversation/conversation.js';
import { imageGrid } from '../../src/grids/image-grid.js';
import { encodePng } from '../../src/image/decode.js';
import { imageProcessor } from '../../src/image/image-processor.js';
import { solidImage } from '../../src/image/rgb-image.js';
import { conversationDataset } from '../../src/loader/dataset.js';
import { createLoader, type Loader } from '../../src/loader/loader.js';
import type { LoaderOptions } from '../../src/loader/loader-options.js';
import { type ImageFolder, imageFolder, OPTIONS, question } from './images.js';

const grid = imageGrid({
  tile: 4,
  candidates: [
    { width: 8, height: 4 },
    { width: 4, height: 8 },
    { width: 8, height: 8 },
  ],
});
const GRID_OPTIONS: LoaderOptions = { ...OPTIONS, visualTokensPerImage: 4, grid, shuffle: false, epochs: 1 };

let folder: ImageFolder;
let wide: string;
let tall: string;
beforeAll(async () => {
  folder = await imageFolder();
  const save = async (name: string, width: number, height: number, grey: number) => {
    const file = join(folder.path, name);
    await writeFile(file, await encodePng(solidImage({ width, height }, [grey, grey, grey])));
    return file;
  };
  wide = await save('wide.png', 8, 4, 50);
  tall = await save('tall.png', 4, 6, 90);
});
afterAll(() => folder.remove());

const open: Loader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

async function firstBatch(conversations: Conversation[], change: Partial<LoaderOptions> = {}): Promise<Batch> {
  const loader = createLoader(conversationDataset('grids', conversations), { ...GRID_OPTIONS, ...change });
  open.push(loader);
  for await (const batch of loader) return batch;
  throw new Error('no batch');
}

describe('a loader with a grid', () => {
  it('gives images of every size as many positions as they have visual tokens', async () => {
    const { shape, pixelValues, plan, grid: tokens } = await firstBatch([question('a', wide), question('b', tall)]);
    // 8 × 4 fills two tiles, 2 × 4 features; 4 × 6 on 4 × 8 keeps all of 4 × 2, as [4 − 3] is cut on both sides alike.
    expect(tokens).toMatchObject({ tiles: [3, 3], lengths: [4 + 2 * 5, 4 + 4 * 3], tokens: 32, taps: 1 });
    expect(shape).toMatchObject({ batch: 2, images: 6, height: 4, width: 4, visualTokensPerImage: 4 });
    const cells = shape.batch * shape.length;
    const visual = [...plan].filter((row) => row >= cells).map((row) => row - cells);
    expect(visual).toEqual(Array.from({ length: 30 }, (_, token) => token));
    // Two rows of black above and one of them below the resized image: its tiles are grey where it is.
    expect(pixelValues.slice(0, 3 * 48)).toEqual(new Float32Array(144).fill(50));
    expect([...pixelValues.slice(4 * 48, 4 * 48 + 16)]).toEqual([...Array(4).fill(0), ...Array(12).fill(90)]);
    // 6 tiles of 4 features: the newline is row 24.
    expect([...tokens!.rows.slice(0, 14)]).toEqual([0, 1, 2, 3, 4, 5, 8, 9, 24, 6, 7, 10, 11, 24]);
  });

  it('pads each of several images to one square tile, unless told to cut them too', async () => {
    const both: Conversation = {
      id: 'both',
      images: [wide, tall],
      turns: [
        { role: 'user', text: '<image>\n<image>\nWhich is wider?' },
        { role: 'assistant', text: 'It is the first.' },
      ],
    };
    const processor = imageProcessor({
      resize: { width: 4, height: 4 },
      filter: 'nearest',
      mean: [0.8, 0.8, 0.8],
    });
    const squares = await firstBatch([both, question('a', wide)], { imageProcessor: processor });
    expect(squares.grid).toMatchObject({ tiles: [1, 1, 3], lengths: [4, 4, 14], tokens: 24 });
    // 8 × 4 between two rows of the mean colour above and below, every second row and column of it.
    const rows = [0, 4, 8, 12].map((start) => squares.pixelValues[start]!);
    for (const [row, value] of [0, 50 / 255 - 0.8, 50 / 255 - 0.8, 0].entries())
      expect(rows[row]).toBeCloseTo(value, 6);
    const cut = await firstBatch([both, question('a', wide)], { grid: { ...grid, severalImages: 'grid' } });
    expect(cut.grid).toMatchObject({ tiles: [3, 3, 3], lengths: [14, 16, 14] });
  });

  it('makes batches of texts, with blank tiles where a program needs them', async () => {
    const texts = [question('a'), question('b')];
    const plain = await firstBatch(texts);
    expect(plain.shape.images).toBe(0);
    expect(plain.grid).toMatchObject({ tokens: 0, tiles: [], lengths: [] });
    const { shape, grid: tokens, pixelValues } = await firstBatch(texts, { imagesPerBatch: 5 });
    expect(shape).toMatchObject({ images: 5, height: 4, width: 4 });
    expect(tokens).toMatchObject({ tokens: 4, tiles: [] });
    expect(pixelValues).toEqual(new Float32Array(5 * 48));
    // A tile is a square, so that a processor that keeps the aspect ratio, or the size, gives it a fixed one.
    for (const [resize, side] of [[{ shortestEdge: 3 }, 3] as const, [null, 4] as const]) {
      const imageProcessor = { ...GRID_OPTIONS.imageProcessor, resize };
      expect((await firstBatch(texts, { imageProcessor, imagesPerBatch: 1 })).shape).toMatchObject({ width: side });
    }
    const filled = await firstBatch([question('a', wide), question('b')], { imagesPerBatch: 5 });
    expect(filled.grid!.rows[8]).toBe(20);
    await expect(firstBatch([question('a', wide), question('b')], { imagesPerBatch: 2 })).rejects.toThrow(
      /at most 2 images in a batch, received 3/,
    );
  });

  it('cuts a sequence before an image that does not fit, and leaves its tiles out', async () => {
    const late: Conversation = {
      id: 'late',
      images: [wide],
      turns: [
        ...question('a').turns,
        { role: 'user', text: '<image>\nAnd this?' },
        { role: 'assistant', text: 'Red.' },
      ],
    };
    const { shape, grid: tokens } = await firstBatch([late, question('a')], { maximumLength: 190 });
    expect(shape.images).toBe(0);
    expect(tokens).toMatchObject({ tiles: [] });
  });

  it('refuses visual tokens that form no square', () => {
    const dataset = conversationDataset('grids', [question('a'), question('b')]);
    expect(() => createLoader(dataset, { ...GRID_OPTIONS, visualTokensPerImage: 3 })).toThrow(/square number/);
  });
});

describe('collate with a grid', () => {
  const tiles = { data: new Float32Array(3 * 48), height: 4, width: 4, tiles: 3, imageSize: { width: 8, height: 4 } };
  const sample = (tokens: number) => {
    const inputIds = Int32Array.from([1, ...Array<number>(tokens).fill(VISUAL_TOKEN), 7]);
    const labels = inputIds.map((id) => (id === 7 ? 7 : -100));
    return { sampleId: 'kite', inputIds, labels, images: [{ start: 1, image: 0, tokens }], pixels: [tiles] };
  };
  const options = { visualTokensPerImage: 4, padTokenId: 0, buckets: 8, grid };

  it('checks that an image has its positions, and the pixels of its tiles', () => {
    expect(collate([sample(14)], options).grid).toMatchObject({ tiles: [3], lengths: [14] });
    expect(() => collate([sample(13)], options)).toThrow(/kite.*14 positions for image 0, received 13/);
    const { tiles: _, imageSize: __, ...plain } = tiles;
    expect(() => collate([{ ...sample(14), pixels: [{ ...plain, data: new Float32Array(48) }] }], options)).toThrow(
      /pixels of tiles, with the size of the image/,
    );
    expect(() => collate([{ ...sample(14), pixels: [{ ...tiles, tiles: 2 }] }], options)).toThrow(/96 values an image/);
    expect(() => collate([sample(14)], { ...options, visualTokensPerImage: 5 })).toThrow(/square number/);
  });
});
