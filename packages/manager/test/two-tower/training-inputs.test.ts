import { closeEngine, full, randomKey, ShapeError, streamKey, tensor, zeros } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { maskTokens, matchingImages } from '../../src/index.js';

afterAll(closeEngine);

const key = (seed: number) => streamKey(randomKey(seed));

describe('maskTokens', () => {
  it('predicts a share of the tokens, most of them from the mask, and never special ones', async () => {
    const count = 40_000;
    const ids = Int32Array.from({ length: count }, (_, index) => (index % 4 === 0 ? index % 3 : 10 + (index % 50)));
    const options = { key: key(1), special: [0, 1, 2], maskToken: 99, vocabSize: 100 };
    const masked = maskTokens(tensor(ids, [4, count / 4]), options);
    const [read, labels] = await Promise.all([masked.inputIds.data(), masked.labels.data()]);
    const chosen = [...labels.keys()].filter((place) => Number(labels[place]) !== -100);
    expect(chosen.length / (count * 0.75)).toBeCloseTo(0.15, 2);
    expect(chosen.every((place) => place % 4 !== 0 && Number(labels[place]) === ids[place])).toBe(true);
    const share = (is: (place: number) => boolean) => chosen.filter(is).length / chosen.length;
    // One in a hundred of the random tokens is the mask, and one the token itself.
    expect(share((place) => Number(read[place]) === 99)).toBeCloseTo(0.801, 1);
    expect(share((place) => Number(read[place]) === ids[place])).toBeCloseTo(0.101, 1);
    expect(
      [...read.keys()].every((place) => Number(labels[place]) !== -100 || Number(read[place]) === ids[place]),
    ).toBe(true);
    const others = await maskTokens(tensor(ids, [4, count / 4]), { ...options, key: key(2) }).labels.data();
    expect(others).not.toEqual(labels);
  });
});

describe('matchingImages', () => {
  it('keeps half of the images, rounded down, and says which', async () => {
    const seen = new Set<string>();
    for (const seed of [1, 2, 3, 4]) {
      const { pixelValues, labels } = matchingImages(full([5, 3, 1, 1], 1), zeros([5, 3, 1, 1]), key(seed));
      const [pixels, matches] = await Promise.all([pixelValues.data(), labels.data()]);
      const numbers = Array.from(matches, Number);
      expect(numbers.reduce((sum, each) => sum + each, 0)).toBe(2);
      expect(Array.from(pixels, Number)).toEqual(numbers.flatMap((match) => [match, match, match]));
      seen.add(numbers.join());
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it('refuses images of other sizes', () => {
    expect(() => matchingImages(zeros([4, 3, 2, 2]), zeros([3, 3, 2, 2]), key(1))).toThrow(ShapeError);
  });
});
