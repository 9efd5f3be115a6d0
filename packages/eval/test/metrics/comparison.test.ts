import { describe, expect, it } from 'vitest';
import { comparePaired, detectableDifference, powerOf, questionsNeeded } from '../../src/index.js';

describe('comparePaired', () => {
  // scipy.stats.ttest_rel, and scipy.stats.t.ppf for the interval.
  it('is a paired t-test', () => {
    const { t, pValue, lower, upper, meanDifference } = comparePaired([1, 0, 1, 1, 0.5], [0, 0, 1, 0, 1]);
    expect(meanDifference).toBeCloseTo(0.3, 12);
    expect(t).toBeCloseTo(1.0, 10);
    expect(pValue).toBeCloseTo(0.37390096630005887, 10);
    expect(lower).toBeCloseTo(-0.532933531559338, 9);
    expect(upper).toBeCloseTo(1.132933531559338, 9);
  });

  it('finds no difference between equal runs, and a certain one between runs that differ by a constant', () => {
    expect(comparePaired([1, 0], [1, 0])).toMatchObject({ t: 0, pValue: 1, lower: 0, upper: 0 });
    expect(comparePaired([1, 1], [0, 0])).toMatchObject({ t: Number.POSITIVE_INFINITY, pValue: 0, lower: 1, upper: 1 });
  });
});

describe('power', () => {
  it('is reached with the questions that are needed, and not with one fewer', () => {
    for (const difference of [0.02, 0.05, 0.3]) {
      const needed = questionsNeeded(difference);
      expect(powerOf(difference, needed)).toBeGreaterThanOrEqual(0.8);
      expect(powerOf(difference, needed - 1)).toBeLessThan(0.8);
      expect(detectableDifference(needed)).toBeLessThanOrEqual(difference);
    }
  });
});
