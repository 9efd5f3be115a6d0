import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import {
  normalFloats,
  permutation,
  randomIntegers,
  truncatedNormalFloats,
  uniformFloats,
} from '../../src/random/distributions.js';
import { erf } from '../../src/random/erf.js';
import { randomKey } from '../../src/random/key.js';

const count = 100_000;

function moments(values: Float32Array): { mean: number; std: number; skew: number; kurtosis: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const central = (power: number) => values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
  const std = Math.sqrt(central(2));
  return { mean, std, skew: central(3) / std ** 3, kurtosis: central(4) / std ** 4 };
}

/** Largest distance between the empirical and the given distribution function, times √n (Kolmogorov and Smirnov). */
function kolmogorov(values: Float32Array, distribution: (x: number) => number): number {
  const sorted = Float32Array.from(values).sort();
  let distance = 0;
  sorted.forEach((value, i) => {
    const expected = distribution(value);
    distance = Math.max(distance, Math.abs(expected - i / sorted.length), Math.abs((i + 1) / sorted.length - expected));
  });
  return distance * Math.sqrt(sorted.length);
}

/** Exceeded once in 10⁵ draws by a sample of the right distribution. */
const kolmogorovBound = 2.47;

const normalDistribution = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;

function digestOf(data: Float32Array | Int32Array): string {
  return createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex').slice(0, 16);
}

/** Correlation of each number with the next. */
function serialCorrelation(values: Float32Array): number {
  const { mean, std } = moments(values);
  let sum = 0;
  for (let i = 1; i < values.length; i++) {
    sum += (values[i]! - mean) * (values[i - 1]! - mean);
  }
  return sum / (values.length - 1) / std ** 2;
}

describe('uniformFloats', () => {
  const values = uniformFloats(randomKey(1), count);

  it('is uniform on [0, 1)', () => {
    expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24))).toBe(true);
    expect(kolmogorov(values, (x) => x)).toBeLessThan(kolmogorovBound);
    const { mean, std } = moments(values);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.004);
    expect(Math.abs(std - Math.sqrt(1 / 12))).toBeLessThan(0.002);
    expect(Math.abs(serialCorrelation(values))).toBeLessThan(0.014);
  });

  it('fills every bit of the mantissa evenly', () => {
    for (let bit = 0; bit < 24; bit++) {
      const set = values.reduce((sum, value) => sum + (((value * 2 ** 24) >> bit) % 2), 0);
      expect(Math.abs(set / count - 0.5), `bit ${bit}`).toBeLessThan(0.008);
    }
  });

  it('scales to given bounds', () => {
    const scaled = uniformFloats(randomKey(1), 1000, { low: -3, high: 5 });
    scaled.forEach((value, i) => {
      expect(value).toBe(Math.fround(-3 + 8 * values[i]!));
    });
  });

  it('does not depend on how many numbers are asked for', () => {
    expect(uniformFloats(randomKey(1), 7)).toEqual(values.slice(0, 7));
    expect(normalFloats(randomKey(1), 7)).toEqual(normalFloats(randomKey(1), 100).slice(0, 7));
    expect(uniformFloats(randomKey(1), 0)).toHaveLength(0);
  });

  it('refuses bad lengths and bounds', () => {
    for (const length of [-1, 0.5, Number.NaN]) {
      expect(() => uniformFloats(randomKey(1), length)).toThrow(ConfigError);
    }
    expect(() => uniformFloats(randomKey(1), 1, { low: 2, high: 1 })).toThrow(/low 2 and high 1/);
    expect(() => uniformFloats(randomKey(1), 1, { high: Number.POSITIVE_INFINITY })).toThrow(ConfigError);
  });
});

describe('normalFloats', () => {
  const values = normalFloats(randomKey(2), count);

  it('is normal', () => {
    expect(kolmogorov(values, normalDistribution)).toBeLessThan(kolmogorovBound);
    const { mean, std, skew, kurtosis } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(0.014);
    expect(Math.abs(std - 1)).toBeLessThan(0.01);
    expect(Math.abs(skew)).toBeLessThan(0.035);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.07);
    expect(Math.abs(serialCorrelation(values))).toBeLessThan(0.014);
  });

  it('scales with mean and std', () => {
    const scaled = normalFloats(randomKey(2), 1000, { mean: 4, std: 0.02 });
    scaled.forEach((value, i) => {
      expect(Math.abs(value - (4 + 0.02 * values[i]!))).toBeLessThan(1e-6);
    });
    expect([...normalFloats(randomKey(2), 2, { mean: 4, std: 0 })]).toEqual([4, 4]);
  });

  it('refuses negative deviations', () => {
    expect(() => normalFloats(randomKey(2), 1, { std: -1 })).toThrow(ConfigError);
    expect(() => normalFloats(randomKey(2), 1, { mean: Number.NaN })).toThrow(ConfigError);
  });
});

describe('truncatedNormalFloats', () => {
  it('is the part of a normal distribution between its bounds', () => {
    const [mean, std, a, b] = [0.5, 2, -1, 1.5];
    const values = truncatedNormalFloats(randomKey(3), count, { mean, std, a, b });
    const below = normalDistribution((a - mean) / std);
    const between = normalDistribution((b - mean) / std) - below;
    expect(kolmogorov(values, (x) => (normalDistribution((x - mean) / std) - below) / between)).toBeLessThan(
      kolmogorovBound,
    );
    expect(values.every((value) => value >= a && value <= b)).toBe(true);
  });

  it('has the deviation of N(0, 1) cut at ±2 by default', () => {
    const { mean, std } = moments(truncatedNormalFloats(randomKey(4), count));
    expect(Math.abs(mean)).toBeLessThan(0.013);
    expect(Math.abs(std - 0.8796256610342398)).toBeLessThan(0.007);
  });

  it('is practically normal where the bounds are far away, as with std 0.02', () => {
    const values = truncatedNormalFloats(randomKey(5), count, { std: 0.02 });
    expect(kolmogorov(values, (x) => normalDistribution(x / 0.02))).toBeLessThan(kolmogorovBound);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it('refuses intervals that the distribution does not reach', () => {
    expect(() => truncatedNormalFloats(randomKey(5), 1, { std: 0.001, a: 1, b: 2 })).toThrow(/interval that/);
    expect(() => truncatedNormalFloats(randomKey(5), 1, { a: 2, b: 1 })).toThrow(ConfigError);
    expect([...truncatedNormalFloats(randomKey(5), 2, { std: 0, mean: 1 })]).toEqual([1, 1]);
  });
});

describe('randomIntegers', () => {
  it('gives every integer of the range equally often', () => {
    const values = randomIntegers(randomKey(6), 60_000, { low: -2, high: 4 });
    const counts = [-2, -1, 0, 1, 2, 3].map((wanted) => values.filter((value) => value === wanted).length);
    expect(counts.reduce((a, b) => a + b)).toBe(60_000);
    // χ² of five degrees of freedom: 30 is exceeded once in 10⁵ draws.
    expect(counts.reduce((sum, value) => sum + (value - 10_000) ** 2 / 10_000, 0)).toBeLessThan(30);
  });

  it('covers the range of int32', () => {
    const values = randomIntegers(randomKey(7), 10_000, { low: -(2 ** 31), high: 2 ** 31 });
    expect(Math.min(...values)).toBeLessThan(-2.1e9);
    expect(Math.max(...values)).toBeGreaterThan(2.1e9);
    expect([...randomIntegers(randomKey(7), 3, { high: 1 })]).toEqual([0, 0, 0]);
  });

  it('is unbiased where the range does not divide 2³²', () => {
    // Of 3·2³⁰ integers, a remainder alone would give the lowest third twice as often.
    const values = randomIntegers(randomKey(8), 30_000, { low: -(2 ** 31), high: 2 ** 30 });
    const lowest = values.filter((value) => value < -(2 ** 30)).length;
    expect(Math.abs(lowest - 10_000)).toBeLessThan(350);
  });

  it('refuses empty and wide ranges', () => {
    for (const range of [{ high: 0 }, { low: 3, high: 3 }, { low: 0.5, high: 3 }, { low: 0, high: 2 ** 31 + 1 }]) {
      expect(() => randomIntegers(randomKey(6), 1, range)).toThrow(ConfigError);
    }
  });
});

describe('permutation', () => {
  it('holds every index once', () => {
    for (const n of [0, 1, 2, 1000, 5000]) {
      const order = permutation(randomKey(9), n);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    expect(() => permutation(randomKey(9), -1)).toThrow(ConfigError);
  });

  it('gives all 24 orders of four equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 24_000; seed++) {
      const order = permutation(randomKey(seed), 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // χ² of 23 degrees of freedom: 66 is exceeded once in 10⁵ draws.
    expect([...counts.values()].reduce((sum, value) => sum + (value - 1000) ** 2 / 1000, 0)).toBeLessThan(66);
  });
});

describe('the numbers of a key', () => {
  it('are pinned', () => {
    const key = randomKey('pinned');
    expect({
      uniform: digestOf(uniformFloats(key, 1001, { low: -1, high: 1 })),
      normal: digestOf(normalFloats(key, 1001, { mean: 1, std: 2 })),
      truncated: digestOf(truncatedNormalFloats(key, 1001, { std: 1.5 })),
      integers: digestOf(randomIntegers(key, 1001, { low: -5, high: 1000 })),
      permutation: digestOf(permutation(key, 1001)),
    }).toMatchInlineSnapshot(`
      {
        "integers": "bc395b20a0487f9f",
        "normal": "1b6afc61a76827ac",
        "permutation": "fa3098d469150905",
        "truncated": "5a76ade6e506635c",
        "uniform": "574fe23f2349f05d",
      }
    `);
  });
});
