import { ConfigError } from '@ocelli/core-tensor';
import * as data from '@ocelli/data';
import { findAll, verbalize } from '@ocelli/moai-mixer';
import { describe, expect, it } from 'vitest';
import { MoaiModel, mergeImageTokens, microworldVisionModels, prepareMoai } from '../../src/index.js';
import { imageSize, preparation, samples, scenes, smallConfig, tokenizer } from './support.js';

const model = new MoaiModel(smallConfig);

describe('mergeImageTokens', () => {
  it('puts the image in its place and leaves padding where it is', () => {
    const merged = mergeImageTokens(
      {
        inputIds: [
          [1, 9, 5],
          [2, 9, 6],
        ],
        attentionMask: [
          [1, 1, 1],
          [0, 1, 1],
        ],
      },
      { imageToken: 9, imageTokens: 2 },
    );
    expect(merged.length).toBe(4);
    expect([...merged.plan]).toEqual([0, 6, 7, 2, 3, 8, 9, 5]);
    expect([...merged.attentionMask]).toEqual([1, 1, 1, 1, 0, 1, 1, 1]);
    expect([...merged.positions]).toEqual([0, 1, 2, 3, 1, 0, 1, 2]);
    expect([...merged.imageMask]).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });

  it.each([
    ['no image', [[1, 2]]],
    ['two images', [[9, 9]]],
    [
      'rows of unequal length',
      [
        [1, 9],
        [1, 9, 2],
      ],
    ],
  ])('refuses %s', (_, inputIds) => {
    expect(() => mergeImageTokens({ inputIds }, { imageToken: 9, imageTokens: 2 })).toThrow(ConfigError);
  });
});

describe('prepareMoai', () => {
  it('trains answers only, and hides them from the experts', async () => {
    const batch = prepareMoai(await samples(['red', 'yes']), model, preparation);
    const [rows, length] = batch.plan.shape as [number, number];
    const [labels, language, image, there] = (await Promise.all(
      [batch.labels!, batch.languageMask!, batch.imageMask, batch.attentionMask].map((mask) => mask.data()),
    )) as Int32Array[];
    for (let row = 0; row < rows; row++) {
      const learnt = [...labels!.slice(row * length, (row + 1) * length)].filter((label) => label !== -100);
      expect(tokenizer.decode(learnt)).toContain(['red', 'yes'][row]);
    }
    labels!.forEach((label, cell) => {
      const kinds = [label !== -100, language![cell] === 1, image![cell] === 1, there![cell] === 0];
      expect(kinds.filter(Boolean), `cell ${cell}`).toHaveLength(1);
    });
    expect(image!.reduce((sum, each) => sum + each, 0)).toBe(rows * model.imageTokens);
  });

  it('refuses nothing, answers for some only, and maps of other sizes', async () => {
    expect(() => prepareMoai([], model, preparation)).toThrow(ConfigError);
    const [first, second] = (await samples(['red', 'yes'])) as [
      Awaited<ReturnType<typeof samples>>[number],
      Awaited<ReturnType<typeof samples>>[number],
    ];
    const { answer: _answer, ...asked } = second;
    expect(() => prepareMoai([first, asked], model, preparation)).toThrow('1 of 2');
    const smaller = { ...second, pixels: { ...second.pixels, height: imageSize / 2 } };
    expect(() => prepareMoai([first, smaller], model, preparation)).toThrow('pictures of one size');
  });
});

describe('microworldVisionModels', () => {
  const sample = { id: 'two', truth: data.groundTruth(scenes[1]!, 64) };

  it('find what is there, in words', async () => {
    const models = microworldVisionModels({ imageSize: 64 });
    const text = verbalize(await findAll(models, sample), { vocabularies: models.vocabularies, imageSize: 64 });
    expect(text).toBe(
      [
        'The image includes bounding box coordinates and their objects: [0.06, 0.06, 0.44, 0.44] red circle, and [0.56, 0.06, 0.94, 0.44] blue square.',
        'The image includes bounding box coordinates and their objects: [0.06, 0.06, 0.44, 0.44] red circle, and [0.56, 0.06, 0.94, 0.44] blue square.',
        'The image includes relationships between objects: red circle is left of blue square, and blue square is right of red circle.',
        'The image includes text descriptions: SUN.',
      ].join(' '),
    );
  });

  it('err at the chosen rate, always alike for a key', async () => {
    const text = async (errorRate: number, seed: number) => {
      const models = microworldVisionModels({ imageSize: 64, errorRate, key: data.randomKey(seed) });
      return verbalize(await findAll(models, sample), { vocabularies: models.vocabularies, imageSize: 64 });
    };
    const truth = await text(0, 0);
    const wrong = await Promise.all(Array.from({ length: 8 }, (_, seed) => text(1, seed)));
    expect(wrong).not.toContain(truth);
    expect(new Set(wrong).size).toBeGreaterThan(4);
    expect(await text(1, 5)).toBe(wrong[5]);
    await expect(text(2, 0)).rejects.toThrow('between 0 and 1');
  });
});
