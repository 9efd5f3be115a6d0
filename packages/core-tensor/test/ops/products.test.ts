import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { conv2d, convTranspose2d, einsum, linear } from '../../src/index.js';
import { relativeError } from '../support/close.js';
import { counting, random, valuesOf } from '../support/reference.js';

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

const total = (values: readonly number[]) => values.reduce((s, x) => s + x, 0);

describe('einsum', () => {
  const [a, b] = [random(2, 3, 4), random(3, 5)];

  test('sums letters that the result lacks', async () => {
    const [actual] = await valuesOf(einsum('bij,ik->kb', a.x, b.x));
    const expected = range(5).flatMap((k) =>
      range(2).map((n) => total(range(3).flatMap((i) => range(4).map((j) => a.at(n, i, j) * b.at(i, k))))),
    );
    expect(relativeError(actual!, expected)).toBeLessThan(1e-6);
  });

  test('keeps letters that both tensors and the result have', async () => {
    const c = random(2, 3);
    const result = einsum('b i j, b i -> b j i', a.x, c.x);
    expect(result.shape).toEqual([2, 4, 3]);
    const expected = range(2).flatMap((n) => range(4).flatMap((j) => range(3).map((i) => a.at(n, i, j) * c.at(n, i))));
    expect(relativeError((await valuesOf(result))[0]!, expected)).toBeLessThan(1e-6);
  });

  test.each([
    [
      'ij,jk',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      'ij,jk->ik',
      [
        [2, 3],
        [4, 4],
      ],
    ],
    ['ii->i', [[2, 2]]],
    ['ij->ik', [[2, 3]]],
    ['ij->ii', [[2, 3]]],
    ['ijk->i', [[2, 3]]],
    ['i,j,k->ijk', [[2], [2], [2]]],
  ])('refuses %s of %j', (equation, shapes) => {
    const make = () => einsum(equation, ...shapes.map((shape) => counting(...shape)));
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(`einsum '${equation}': expected`);
  });
});

describe('linear', () => {
  test('multiplies by the transposed weight', async () => {
    const [x, weight, bias] = [random(2, 2, 3), random(4, 3), random(4)];
    const result = linear(x.x, weight.x, bias.x);
    expect(result.shape).toEqual([2, 2, 4]);
    const expected = range(2).flatMap((n) =>
      range(2).flatMap((t) =>
        range(4).map((o) => bias.at(o) + total(range(3).map((i) => x.at(n, t, i) * weight.at(o, i)))),
      ),
    );
    expect(relativeError((await valuesOf(result))[0]!, expected)).toBeLessThan(1e-6);
  });

  test('refuses another width', () => {
    expect(() => linear(counting(2, 3), counting(4, 2))).toThrow(
      'linear: expected x [..., inputs] and weight [outputs, inputs], received [2, 3] and [4, 2].',
    );
  });
});

describe('convolutions', () => {
  const [x, weight] = [random(1, 2, 4, 5), random(2, 2, 2, 3)];

  /** Correlation at one place of one channel, with zeros around. */
  function correlation(o: number, top: number, left: number): number {
    return total(
      range(2).flatMap((i) =>
        range(2).flatMap((ky) =>
          range(3).map((kx) => {
            const [row, column] = [top + ky, left + kx];
            const inside = row >= 0 && row < 4 && column >= 0 && column < 5;
            return inside ? x.at(0, i, row, column) * weight.at(o, i, ky, kx) : 0;
          }),
        ),
      ),
    );
  }

  test('conv2d correlates windows, strides and borders counted by rows and columns', async () => {
    const result = conv2d(x.x, weight.x, { stride: [1, 2], padding: [1, 0, 0, 1] });
    expect(result.shape).toEqual([1, 2, 4, 2]);
    const expected = range(2).flatMap((o) =>
      range(4).flatMap((row) => range(2).map((column) => correlation(o, row - 1, 2 * column))),
    );
    expect(relativeError((await valuesOf(result))[0]!, expected)).toBeLessThan(1e-6);
  });

  test('conv2d of windows that touch equals the sum over each patch', async () => {
    const result = conv2d(x.x, weight.x, { stride: [2, 3] });
    const expected = range(2).flatMap((o) => range(2).map((row) => correlation(o, 2 * row, 0)));
    expect(result.shape).toEqual([1, 2, 2, 1]);
    expect(relativeError((await valuesOf(result))[0]!, expected)).toBeLessThan(1e-6);
  });

  test('convTranspose2d refuses output padding that reaches the stride', () => {
    expect(() => convTranspose2d(counting(1, 1, 2, 2), counting(1, 1, 2, 2), { stride: 2, outputPadding: 2 })).toThrow(
      'convTranspose2d: expected output padding below the stride or the dilation, received output padding [2, 2] with stride [2, 2].',
    );
  });
});
