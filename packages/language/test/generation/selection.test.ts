import { initializers, randomKey } from '@ocelli/core-tensor';
import { describe, expect, it } from 'vitest';
import {
  candidatesOf,
  cutByMass,
  exponentialBuckets,
  exponentials,
  kthLargest,
  massBuckets,
} from '../../src/generation/selection.js';

/** Numbers that look like scores; the same for the same name. */
function scoresOf(name: string, count: number, deviation = 3): Float32Array {
  return initializers.normal(0, deviation)([count], randomKey(name));
}

describe('exponentials', () => {
  it('are those of Math.exp, and add up to their sum', () => {
    const values = scoresOf('exponentials', 4000, 12);
    const highest = Math.max(...values);
    const out = new Float32Array(values.length);
    const sum = exponentials(values, highest, out);
    values.forEach((value, index) => {
      const expected = Math.exp(value - highest);
      expect(Math.abs(out[index]! - expected)).toBeLessThanOrEqual(1e-7 * expected + 2 ** -128);
    });
    expect(sum).toBeCloseTo(
      values.reduce((total, value) => total + Math.exp(value - highest), 0),
      6,
    );
  });

  it('are zero for what is banned or far below', () => {
    const out = new Float32Array(3).fill(7);
    expect(exponentials(Float32Array.of(Number.NEGATIVE_INFINITY, 0, -100), 0, out)).toBe(1);
    expect([...out]).toEqual([0, 1, 0]);
  });
});

describe('kthLargest', () => {
  it.each([1, 2, 7, 50, 400, 999, 1000, 5000])('finds number %i, by heap or by sorting', (count) => {
    const values = scoresOf('kth', 1000).map((value) => Math.round(value * 20)); // with duplicates
    const sorted = [...values].sort((a, b) => b - a);
    expect(kthLargest(values, count)).toBe(sorted[Math.min(count, 1000) - 1]);
  });
});

describe('cutByMass', () => {
  function sortedCut(values: Float32Array, masses: Float32Array, needed: number): number {
    const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!);
    let mass = 0;
    for (const index of order) {
      mass += masses[index]!;
      if (mass >= needed) return values[index]!;
    }
    return values[order.at(-1)!]!;
  }

  it.each([0.01, 0.5, 1, 3, 20, 300])('ends where sorting says, at a deviation of %f', (deviation) => {
    const values = scoresOf(`cut ${deviation}`, 3000, deviation);
    const { highest } = candidatesOf(values);
    const masses = new Float32Array(values.length);
    const total = exponentials(values, highest, masses);
    const others = Float32Array.from(masses.keys(), (index) => (index % 17) + 1);
    for (const share of [1e-9, 0.1, 0.5, 0.9, 0.999]) {
      const exponential = exponentialBuckets(values, highest);
      const cases = [
        { masses, buckets: exponential, needed: share * total },
        { masses, buckets: massBuckets(values, highest, masses), needed: share * total },
        { masses: others, buckets: massBuckets(values, highest, others), needed: share * 26900 },
      ];
      for (const { masses: given, buckets, needed } of cases) {
        const massOf = (index: number) => given[index]!;
        const { value, massAbove } = cutByMass(values, highest, buckets, massOf, (mass) => mass >= needed);
        expect(value).toBe(sortedCut(values, given, needed));
        const above = values.reduce((sum, each, index) => (each > value ? sum + given[index]! : sum), 0);
        expect(massAbove).toBeCloseTo(above, 3);
      }
    }
  });

  it('takes everything where nothing suffices, and equal values together', () => {
    const values = Float32Array.of(2, 2, 2, 2);
    const buckets = exponentialBuckets(values, 2);
    const cut = (needed: number) =>
      cutByMass(
        values,
        2,
        buckets,
        () => 1,
        (mass) => mass >= needed,
      );
    expect(cut(2)).toEqual({ value: 2, massAbove: 0 });
    expect(cut(100).value).toBeLessThanOrEqual(2);
  });
});
