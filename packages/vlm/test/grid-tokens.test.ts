import { closeEngine, compile, gradients, sum, tensor } from '@ocelli/core-tensor';
import { type CollateSample, collate, imageGrid, planGridTokens, type TilePixels, VISUAL_TOKEN } from '@ocelli/data';
import { afterAll, describe, expect, it } from 'vitest';
import {
  arrangeGridTokens,
  gridTensors,
  toTensors,
  type VisionLanguageBatch,
  VisionLanguageModel,
} from '../src/index.js';
import { smallConfig } from './support.js';

afterAll(closeEngine);

const width = 12;
const grid = imageGrid({
  tile: 8,
  candidates: [
    { width: 16, height: 8 },
    { width: 8, height: 8 },
  ],
});

function sampleOf(tiles: number, imageSize: { width: number; height: number }, tokens: number): CollateSample {
  const inputIds = Int32Array.from([1, ...Array<number>(tokens).fill(VISUAL_TOKEN), 7, 2]);
  const data = Float32Array.from({ length: tiles * 192 }, (_, index) => Math.sin(index * tiles));
  const pixels: TilePixels = { data, height: 8, width: 8, tiles, imageSize };
  const labels = inputIds.map((id) => (id === 7 || id === 2 ? id : -100));
  return { sampleId: String(tokens), inputIds, labels, images: [{ start: 1, image: 0, tokens }], pixels: [pixels] };
}

/** Two tiles, one tile, and no image. */
const samples: CollateSample[] = [
  sampleOf(3, { width: 16, height: 8 }, 4 + 2 * 5),
  sampleOf(2, { width: 8, height: 8 }, 4 + 2 * 3),
  { sampleId: 'text', inputIds: Int32Array.of(1, 5, 2), labels: Int32Array.of(-100, 5, 2), images: [], pixels: [] },
];
const batch = collate(samples, { visualTokensPerImage: 4, padTokenId: 0, buckets: 8, grid });

describe('a model with images cut into tiles', () => {
  const model = new VisionLanguageModel({ ...smallConfig(), imageNewline: true }).initialize(4);

  it('has the features of tiles and newlines in the places of each image', async () => {
    const tensors = toTensors(batch);
    const embedded = await compile((each: VisionLanguageBatch) => model.embed(each))(tensors);
    const values = Array.from(await embedded.data(), Number);
    const features = Array.from(await model.encodeImages(tensors.pixelValues).data(), Number);
    const newline = Array.from(await model.imageNewline!.data(), Number);
    const row = (sample: number, position: number) => {
      const start = (sample * batch.shape.length + position) * width;
      return values.slice(start, start + width);
    };
    const feature = (index: number) => features.slice(index * width, (index + 1) * width);
    // Tiles 0 to 2 are the first image's: the whole image, then both halves; tiles 3 and 4 the second one's.
    const first = [0, 1, 2, 3, 4, 5, 8, 9, -1, 6, 7, 10, 11, -1];
    const second = [12, 13, 14, 15, 16, 17, -1, 18, 19, -1];
    for (const [sample, rows] of [first, second].entries()) {
      for (const [token, index] of rows.entries()) {
        expect(row(sample, 1 + token), `token ${token}`).toEqual(index === -1 ? newline : feature(index));
      }
    }
  });

  it('trains the newline with everything else', async () => {
    const tensors = toTensors(batch);
    const [gradient] = gradients(model.loss(tensors), [model.imageNewline!]);
    const values = Array.from(await gradient!.data(), Number);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1e-6);
    const other = toTensors(collate(samples.slice(2), { visualTokensPerImage: 4, padTokenId: 0, buckets: 8, grid }));
    expect(other.pixelValues.shape[0]).toBe(0);
    expect(Number((await model.loss(other).data())[0])).toBeGreaterThan(0);
  });

  it('keeps the newline among its weights only where it has one', () => {
    expect(model.config.imageNewline).toBe(true);
    expect(Object.keys(model.namedParameters())).toContain('imageNewline');
    expect(Object.keys(new VisionLanguageModel(smallConfig()).namedParameters())).not.toContain('imageNewline');
    expect(() => new VisionLanguageModel(smallConfig()).embed(toTensors(batch))).toThrow(/a model with imageNewline/);
  });
});

describe('arrangeGridTokens', () => {
  it('weighs the features of a grid that is resized, forward and backward', async () => {
    // One row of four features becomes two: the middle of each half.
    const plan = planGridTokens(
      [
        {
          canvas: { width: 16, height: 8 },
          tiles: { rows: 1, columns: 2 },
          content: { left: 0, top: 0, width: 16, height: 8 },
          featuresPerSide: 2,
          features: { rows: 2, columns: 4 },
          unpadded: { top: 0, left: 0, rows: 2, columns: 4 },
          kept: { rows: 1, columns: 2 },
          baseTokens: 4,
          newlineTokens: 1,
          tokens: 7,
        },
      ],
      { featuresPerSide: 2 },
    );
    const features = tensor(
      Float32Array.from({ length: 12 }, (_, index) => index * index),
      [3, 4, 1],
    );
    const newline = tensor([-7]);
    const tokens = arrangeGridTokens(features, newline, gridTensors(plan));
    const [byFeature, byNewline] = gradients(sum(tokens), [features, newline]);
    const left = (16 + 25 + 36 + 49) / 4;
    const right = (64 + 81 + 100 + 121) / 4;
    expect(Array.from(await tokens.data(), Number)).toEqual([0, 1, 4, 9, left, right, -7]);
    expect(Array.from(await byFeature!.data(), Number)).toEqual([1, 1, 1, 1, ...Array(8).fill(0.25)]);
    expect(Array.from(await byNewline!.data(), Number)).toEqual([1]);
  });
});
