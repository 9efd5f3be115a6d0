import { describe, expect, it } from 'vitest';
import { erf, erfinv } from '../../src/random/erf.js';

describe('erf', () => {
  // From a table of 20 digits (Abramowitz and Stegun 7.1), and 1 − 1.5·10⁻¹² at 5.
  it.each([
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.49, 0.9995707121322661],
    [2.51, 0.9996142945182758],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
    [7, 1],
  ])('of %d', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(2.3e-16);
    expect(erf(-x)).toBe(-erf(x));
  });

  it('keeps its relative accuracy near zero and its limits far away', () => {
    expect(erf(1e-20) / 1e-20).toBeCloseTo(2 / Math.sqrt(Math.PI), 14);
    expect([erf(Number.POSITIVE_INFINITY), erf(Number.NEGATIVE_INFINITY), erf(Number.NaN)]).toEqual([
      1,
      -1,
      Number.NaN,
    ]);
  });
});

describe('erfinv', () => {
  it.each([
    [0.1, 0.08885599049425769],
    [0.5, 0.4769362762044699],
    [0.9, 1.1630871536766743],
    [0.99, 1.8213863677184496],
    [0.999999, 3.4589107372754984],
  ])('of %d', (x, expected) => {
    expect(Math.abs(erfinv(x) / expected - 1)).toBeLessThan(1e-13);
    expect(erfinv(-x)).toBe(-erfinv(x));
  });

  it('undoes erf over the whole range', () => {
    for (let x = -5; x <= 5; x += 0.037) {
      const y = erf(x);
      // An error of one unit in y grows with the slope of the inverse.
      const tolerance = 4 * Number.EPSILON * Math.max(1, (Math.sqrt(Math.PI) / 2) * Math.exp(x * x));
      expect(Math.abs(erfinv(y) - x), String(x)).toBeLessThan(tolerance);
    }
  });

  it('keeps its relative accuracy near zero, and its limits', () => {
    expect(erfinv(1e-20) / 1e-20).toBeCloseTo(Math.sqrt(Math.PI) / 2, 14);
    const limits = [erfinv(1), erfinv(-1), erfinv(1.1), erfinv(Number.NaN), erfinv(0)];
    expect(limits).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, Number.NaN, 0]);
  });

  it('reaches the far tail', () => {
    // erfc(x) = 2⁻⁵³ by the asymptotic series
    const x = erfinv(1 - 2 ** -53);
    const tail =
      (Math.exp(-x * x) / (x * Math.sqrt(Math.PI))) * (1 - 1 / (2 * x ** 2) + 3 / (4 * x ** 4) - 15 / (8 * x ** 6));
    expect(tail / 2 ** -53).toBeCloseTo(1, 4);
  });
});
