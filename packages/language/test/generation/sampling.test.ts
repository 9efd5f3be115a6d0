import { ConfigError, foldIn, randomKey } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { sampleTokens } from '../../src/generation/sampling.js';
import { likeliestToken, sampleToken, samplingKeys } from '../../src/index.js';

const none = Number.NEGATIVE_INFINITY;
const shares = [0.5, 0.25, 0, 0.15, 0.1];
const scores = Float32Array.from(shares, (share) => (share === 0 ? none : Math.log(share) - 3));
const draws = 20000;

describe('sampling', () => {
  it('draws tokens as often as their probabilities say', () => {
    const counts = new Array<number>(shares.length).fill(0);
    for (let draw = 0; draw < draws; draw++) counts[sampleToken(scores, foldIn(randomKey(1), draw))]!++;
    shares.forEach((share, id) => {
      // Five deviations of a binomial count.
      expect(Math.abs(counts[id]! - share * draws)).toBeLessThanOrEqual(5 * Math.sqrt(share * (1 - share) * draws));
    });
  });

  it('draws different tokens, the first one by its probability and the second by those left', () => {
    const first = new Array<number>(shares.length).fill(0);
    let firstThenThird = 0;
    for (let draw = 0; draw < draws; draw++) {
      const [a, b, ...others] = sampleTokens(scores, 2, foldIn(randomKey(2), draw));
      expect(others).toEqual([]);
      expect(a).not.toBe(b);
      first[a!]!++;
      if (a === 0 && b === 3) firstThenThird++;
    }
    shares.forEach((share, id) => {
      expect(Math.abs(first[id]! - share * draws)).toBeLessThanOrEqual(5 * Math.sqrt(share * (1 - share) * draws));
    });
    const share = 0.5 * (0.15 / 0.5);
    expect(Math.abs(firstThenThird - share * draws)).toBeLessThan(5 * Math.sqrt(share * (1 - share) * draws));
    expect(sampleTokens(scores, 9, randomKey(0)).sort()).toEqual([0, 1, 3, 4]);
  });

  it('chooses the same with the same key, and keys by seed, row and step', () => {
    const long = new Float32Array(500);
    expect(sampleToken(long, randomKey(3))).toBe(sampleToken(long, randomKey(3)));
    const chosen = (seed: number, row: number, step: number) => sampleToken(long, samplingKeys(seed)(row, step));
    expect(chosen(1, 2, 3)).toBe(chosen(1, 2, 3));
    const others = [chosen(1, 2, 3), chosen(2, 2, 3), chosen(1, 3, 3), chosen(1, 2, 4), chosen(1, 3, 2)];
    expect(new Set(others).size).toBe(5);
  });

  it('takes the first of the likeliest', () => {
    expect(likeliestToken(Float32Array.of(1, Number.NaN, 3, 3))).toBe(2);
  });

  it('says when no token is left', () => {
    for (const row of [Float32Array.of(none, none), Float32Array.of(Number.NaN)]) {
      expect(() => likeliestToken(row)).toThrow(ConfigError);
      expect(() => sampleToken(row, randomKey(0))).toThrow('a token that may come next');
      expect(() => sampleTokens(row, 1, randomKey(0))).toThrow(ConfigError);
    }
  });
});
