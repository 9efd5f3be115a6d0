import { closeEngine, l2Normalize, randomKey, streamKey, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  annotatorScore,
  ClassificationHead,
  ContrastiveHead,
  drawNegatives,
  ImageTextMatchingHead,
  imageTextContrast,
  MaskedLanguageModelHead,
  matchingPairs,
  visualQuestionAnsweringLoss,
} from '../../src/index.js';
import { normalTensor } from '../support.js';

afterAll(closeEngine);

const values = async (x: { data(): Promise<ArrayLike<number | bigint>> }) => Array.from(await x.data(), Number);

describe('imageTextContrast', () => {
  const image = l2Normalize(normalTensor([4, 6], 'image'));
  const text = l2Normalize(normalTensor([4, 6], 'text'));
  const temperature = tensor(Float32Array.of(0.07), [1]);

  it('never draws what matches as a negative', async () => {
    const imageIndex = tensor(Int32Array.of(0, 0, 1, 2));
    const { negativeImageWeights } = imageTextContrast({ image, text, imageIndex, temperature });
    const weights = await values(negativeImageWeights);
    expect([weights[0], weights[1], weights[4], weights[5], weights[10], weights[15]]).toEqual([0, 0, 0, 0, 0, 0]);
    for (let seed = 0; seed < 20; seed++) {
      const [first, second, third] = await values(drawNegatives(negativeImageWeights, streamKey(randomKey(seed))));
      expect([2, 3]).toContain(first);
      expect([2, 3]).toContain(second);
      expect([0, 1, 3]).toContain(third);
    }
  });

  it('draws in proportion to the weights, and evenly where there is nothing to draw', async () => {
    const rows = 4000;
    const weights = tensor(
      Float32Array.from({ length: 3 * rows }, (_, index) => [0.6, 0, 0.2][index % 3]!),
      [rows, 3],
    );
    const drawn = await values(drawNegatives(weights, streamKey(randomKey(1))));
    const share = (of: number) => drawn.filter((each) => each === of).length / rows;
    expect(share(0)).toBeGreaterThan(0.72);
    expect(share(0)).toBeLessThan(0.78);
    expect(share(1)).toBe(0);
    const none = await values(drawNegatives(tensor(new Float32Array(3 * rows), [rows, 3]), streamKey(randomKey(1))));
    expect(none.filter((each) => each === 1).length / rows).toBeCloseTo(1 / 3, 1);
  });

  it('keeps the temperature within its bounds', async () => {
    const lossAt = async (value: number) =>
      (await values(imageTextContrast({ image, text, temperature: tensor(Float32Array.of(value), [1]) }).loss))[0];
    expect(await lossAt(7)).toBe(await lossAt(0.5));
    expect(await lossAt(1e-6)).toBe(await lossAt(0.001));
    expect(await lossAt(0.2)).not.toBe(await lossAt(0.5));
  });

  it('pairs the batch, then negative images, then negative texts', async () => {
    const pairs = matchingPairs(tensor(Int32Array.of(1, 0)), tensor(Int32Array.of(1, 0)));
    expect(await values(pairs.image)).toEqual([0, 1, 1, 0, 0, 1]);
    expect(await values(pairs.text)).toEqual([0, 1, 0, 1, 1, 0]);
    expect(await values(pairs.labels)).toEqual([1, 1, 0, 0, 0, 0]);
  });
});

describe('heads', () => {
  it('have the published names and shapes', () => {
    const shapes = (module: MaskedLanguageModelHead | ImageTextMatchingHead | ClassificationHead) =>
      Object.fromEntries(Object.entries(module.namedParameters()).map(([name, { shape }]) => [name, shape.join('x')]));
    expect(shapes(new MaskedLanguageModelHead(768, 50265))).toEqual({
      'transform.dense.weight': '768x768',
      'transform.dense.bias': '768',
      'transform.LayerNorm.weight': '768',
      'transform.LayerNorm.bias': '768',
      'decoder.weight': '50265x768',
      bias: '50265',
    });
    expect(shapes(new ImageTextMatchingHead(768))).toEqual({ 'fc.weight': '2x1536', 'fc.bias': '2' });
    expect(shapes(new ClassificationHead(1536, 3129, { hidden: 3072 }))).toEqual({
      '0.weight': '3072x1536',
      '0.bias': '3072',
      '1.weight': '3072',
      '1.bias': '3072',
      '3.weight': '3129x3072',
      '3.bias': '3129',
    });
    expect(shapes(new ClassificationHead(1536, 3129))).toEqual({ '0.weight': '3129x1536', '0.bias': '3129' });
  });

  it('give contrastive features of length one', async () => {
    const features = await values(new ContrastiveHead(8, 4).initialize(0).forward(normalTensor([1, 3, 8])));
    expect(Math.hypot(...features)).toBeCloseTo(1, 5);
  });
});

describe('the loss of VQA', () => {
  it('is the mean over answers times their number', async () => {
    const [loss] = await values(
      visualQuestionAnsweringLoss(tensor(new Float32Array(6), [2, 3]), tensor(new Float32Array(6), [2, 3])),
    );
    expect(loss).toBeCloseTo(3 * Math.LN2, 5);
  });

  it('counts an answer by its annotators', () => {
    expect([0, 1, 2, 3, 4, 10].map(annotatorScore)).toEqual([0, 0.3, 0.6, 0.9, 1, 1]);
  });
});
