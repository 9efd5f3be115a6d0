import { initializers, randomKey } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import { warpers } from '../../src/index.js';

const none = Number.NEGATIVE_INFINITY;
const context = { ids: [], promptLength: 0, row: 0 };

/** The tokens that stay. */
function kept(process: ReturnType<typeof warpers.topK>, scores: ArrayLike<number>): number[] {
  const row = Float32Array.from(scores);
  process(row, context);
  return [...row.keys()].filter((id) => {
    expect([none, Math.fround(scores[id]!)]).toContain(row[id]);
    return row[id]! > none;
  });
}

/** Scores of given probabilities, up to a constant. */
const logs = (...shares: number[]) => shares.map((share) => Math.log(share) + 5);

function probabilitiesOf(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores, (score) => Math.exp(score));
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}

describe('removal before sampling', () => {
  it('keeps the k likeliest and what equals the last of them', () => {
    expect(kept(warpers.topK(2), [3, 1, 2, 2, 0])).toEqual([0, 2, 3]);
    expect(kept(warpers.topK(1, 3), [3, 1, 2, 0])).toEqual([0, 1, 2]);
    expect(kept(warpers.topK(9), [3, 1, none])).toEqual([0, 1]);
  });

  it('keeps tokens until their probabilities add up', () => {
    const scores = logs(0.1, 0.4, 0.2, 0.3);
    expect(kept(warpers.topP(0.35), scores)).toEqual([1]);
    expect(kept(warpers.topP(0.65), scores)).toEqual([1, 3]);
    expect(kept(warpers.topP(0.75), scores)).toEqual([1, 2, 3]);
    expect(kept(warpers.topP(0.95), scores)).toEqual([0, 1, 2, 3]);
    expect(kept(warpers.topP(0), scores)).toEqual([1]);
    expect(kept(warpers.topP(0, 3), scores)).toEqual([1, 2, 3]);
    expect(kept(warpers.topP(0.65, 3), scores)).toEqual([1, 2, 3]);
    expect(kept(warpers.topP(0.95, 2), scores)).toEqual([0, 1, 2, 3]);
  });

  it('keeps as many of equal tokens as their probability needs', () => {
    expect(kept(warpers.topP(0.5), [1, 1, 1, 1])).toEqual([0, 1]);
    expect(kept(warpers.topP(0.51), [1, 1, 1, 1])).toEqual([0, 1, 2]);
    expect(kept(warpers.topP(0, 3), [1, none, 1, 1, 1])).toEqual([0, 2, 3]);
    expect(kept(warpers.topP(0.7), [2, 2, 2, none, none])).toEqual([0, 1, 2]);
  });

  it('keeps of a large vocabulary what sorting it would keep', () => {
    for (const [deviation, p] of [
      [0.05, 0.3],
      [1, 0.9],
      [4, 0.95],
    ] as const) {
      const scores = initializers.normal(0, deviation)([5000], randomKey(`warp ${deviation}`));
      const shares = probabilitiesOf(scores);
      const order = [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!);
      let mass = 0;
      const expected = order.filter((id) => {
        const isNeeded = mass < p;
        mass += shares[id]!;
        return isNeeded;
      });
      expect(kept(warpers.topP(p), scores)).toEqual(expected.sort((a, b) => a - b));
    }
  });

  it('keeps tokens of a share of the highest probability', () => {
    const scores = logs(0.5, 0.3, 0.15, 0.05);
    expect(kept(warpers.minP(0.2), scores)).toEqual([0, 1, 2]);
    expect(kept(warpers.minP(1), scores)).toEqual([0]);
    expect(kept(warpers.minP(1, 2), scores)).toEqual([0, 1]);
    expect(kept(warpers.minP(0), scores)).toEqual([0, 1, 2, 3]);
  });

  it('keeps what is as surprising as tokens are on average', () => {
    // Entropy 1.37: a token of probability 0.2 (information 1.6) is the most typical, one of 0.5 (0.7) follows.
    const scores = [...logs(0.5, 0.2, 0.1, 0.1, 0.1), none];
    expect(kept(warpers.typical(0.15), scores)).toEqual([1]);
    expect(kept(warpers.typical(0.6), scores)).toEqual([0, 1]);
    expect(kept(warpers.typical(0.75), scores)).toEqual([0, 1, 2, 3, 4]);
    expect(kept(warpers.typical(0.15, 2), scores)).toEqual([0, 1]);
  });

  it('keeps tokens above a probability, fixed or by the entropy', () => {
    const scores = logs(0.6, 0.25, 0.1, 0.05);
    expect(kept(warpers.epsilonCutoff(0.08), scores)).toEqual([0, 1, 2]);
    expect(kept(warpers.epsilonCutoff(0.9), scores)).toEqual([0]);
    expect(kept(warpers.epsilonCutoff(0.9, 2), scores)).toEqual([0, 1]);
    // Entropy 1.03: √0.1·e^(−1.03) = 0.113 is above 0.1, √0.01·e^(−1.03) = 0.036 is above 0.01.
    expect(kept(warpers.etaCutoff(0.2), scores)).toEqual([0, 1]);
    expect(kept(warpers.etaCutoff(0.01), scores)).toEqual([0, 1, 2, 3]);
    // Flat: entropy ln 4, √0.3·e^(−1.39) = 0.137 instead of 0.3, which would remove all but the first.
    expect(kept(warpers.etaCutoff(0.3), [1, 1, 1, 1])).toEqual([0, 1, 2, 3]);
    expect(kept(warpers.epsilonCutoff(0.3), [1, 1, 1, 1])).toEqual([0, 1, 2, 3]); // none is likelier than the first
  });

  it('scales scores and makes them log-probabilities', () => {
    const row = Float32Array.of(1, 2, none);
    warpers.temperature(0.5)(row, context);
    expect([...row]).toEqual([2, 4, none]);
    warpers.logSoftmax(row, context);
    expect(Math.exp(row[0]!) + Math.exp(row[1]!)).toBeCloseTo(1, 6);
    expect(row[1]! - row[0]!).toBeCloseTo(2, 6);
    expect(row[2]).toBe(none);
  });
});
