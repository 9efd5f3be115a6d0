import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { type AttentionOptions, attention, tensor } from '../../src/index.js';
import { relativeError } from '../support/close.js';
import { counting, random, valuesOf } from '../support/reference.js';

const [batch, heads, keyHeads, queries, keys, width, valueWidth] = [2, 4, 2, 3, 5, 2, 3];
const [q, k, v] = [
  random(batch, heads, queries, width),
  random(batch, keyHeads, keys, width),
  random(batch, keyHeads, keys, valueWidth),
];

/** Attention element by element; `score` may change or forbid a score. */
function expected(
  scale: number,
  score: (value: number, b: number, h: number, i: number, j: number) => number,
): number[] {
  const result: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / keyHeads));
      for (let i = 0; i < queries; i++) {
        const weights = Array.from({ length: keys }, (_, j) => {
          const product = Array.from({ length: width }, (_, d) => q.at(b, h, i, d) * k.at(b, g, j, d)).reduce(
            (s, x) => s + x,
            0,
          );
          return Math.exp(score(product * scale, b, h, i, j));
        });
        const total = weights.reduce((s, x) => s + x, 0);
        for (let d = 0; d < valueWidth; d++)
          result.push(weights.reduce((s, weight, j) => s + (weight / total) * v.at(b, g, j, d), 0));
      }
    }
  }
  return result;
}

const usual = 1 / Math.sqrt(width);
const forbidden = -Infinity;
const bias = random(heads, queries, keys);
const allowed = (i: number, j: number) => (i + 2 * j) % 3 !== 0;
const mask = tensor(
  Uint8Array.from({ length: queries * keys }, (_, n) => (allowed(Math.floor(n / keys), n % keys) ? 1 : 0)),
  [queries, keys],
  'bool',
);

describe('attention', () => {
  const variants: readonly (readonly [name: string, options: AttentionOptions, expected: number[]])[] = [
    ['shares key heads between query heads', {}, expected(usual, (s) => s)],
    ['scales as it is told', { scale: 0.25 }, expected(0.25, (s) => s)],
    [
      'sees the past and itself, counted from the last key',
      { causal: true },
      expected(usual, (s, _b, _h, i, j) => (j <= i + keys - queries ? s : forbidden)),
    ],
    ['sees what a bool mask allows', { mask }, expected(usual, (s, _b, _h, i, j) => (allowed(i, j) ? s : forbidden))],
    ['adds a bias', { bias: bias.x }, expected(usual, (s, _b, h, i, j) => s + bias.at(h, i, j))],
    [
      'adds a float mask',
      { mask: bias.x, causal: true },
      expected(usual, (s, _b, h, i, j) => (j <= i + keys - queries ? s + bias.at(h, i, j) : forbidden)),
    ],
  ];

  test.each(variants)('%s', async (_name, options, values) => {
    const result = attention(q.x, k.x, v.x, options);
    expect(result.shape).toEqual([batch, heads, queries, valueWidth]);
    const [actual] = await valuesOf(result);
    expect(relativeError(actual!, values)).toBeLessThan(1e-6);
  });

  test('gives a query without any key the mean of the values, not NaN', async () => {
    const nothing = tensor(new Uint8Array(4), [1, 1, 1, 4], 'bool');
    const result = attention(counting(1, 1, 1, 2), counting(1, 1, 4, 2), counting(1, 1, 4, 1), { mask: nothing });
    expect((await valuesOf(result))[0]![0]).toBeCloseTo(1.5, 6);
  });

  test.each([
    ['heads that do not divide', counting(1, 3, 2, 4), counting(1, 2, 2, 4), counting(1, 2, 2, 4)],
    ['widths that differ', counting(1, 2, 2, 4), counting(1, 2, 2, 3), counting(1, 2, 2, 4)],
    ['as many values as keys', counting(1, 2, 2, 4), counting(1, 2, 3, 4), counting(1, 2, 2, 4)],
    ['three axes', counting(2, 2, 4), counting(2, 2, 4), counting(2, 2, 4)],
  ])('refuses shapes that do not fit: %s', (_name, a, b, c) => {
    expect(() => attention(a, b, c)).toThrow(ShapeError);
    expect(() => attention(a, b, c)).toThrow(
      `[${a.shape.join(', ')}], [${b.shape.join(', ')}] and [${c.shape.join(', ')}]`,
    );
  });
});
