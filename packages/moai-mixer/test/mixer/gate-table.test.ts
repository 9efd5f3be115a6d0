import { closeEngine, tensor } from '@ocelli/core-tensor';
import { afterAll, expect, it } from 'vitest';
import { gateTables } from '../../src/index.js';
import { mask } from '../support.js';

afterAll(closeEngine);

it('averages over the tokens of each modality, layer by layer', async () => {
  const shared = tensor([0.5, 0.25, 0.25], [1, 1, 3]);
  const perToken = tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 3, 3]);
  const weights = new Map([
    [15, { image: perToken, language: shared }],
    [7, { image: shared, language: perToken }],
  ]);
  const imageMask = mask([[1, 1, 0]]);
  const [image, language] = await gateTables(weights, { imageMask, languageMask: mask([[0, 0, 1]]) });
  expect(image).toEqual({
    name: 'image',
    layers: [7, 15],
    levels: ['aux', 'language', 'self'],
    weights: [
      [0.5, 0.25, 0.25],
      [0.5, 0.5, 0],
    ],
  });
  expect(language.weights).toEqual([
    [0, 0, 1],
    [0.5, 0.25, 0.25],
  ]);
  const [, nothing] = await gateTables(weights, { imageMask, languageMask: mask([[0, 0, 0]]) });
  expect(nothing.weights).toEqual([
    [null, null, null],
    [null, null, null],
  ]);
});
