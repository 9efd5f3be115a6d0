import { expect } from 'vitest';
import type { Tensor } from '../../src/index.js';

/** Values of a tensor as numbers. */
export async function numbersIn(x: Tensor): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

/** Asserts that a tensor has these values, in row-major order, up to `digits` decimal places. */
export async function expectNumbers(x: Tensor, expected: readonly number[], digits = 5): Promise<void> {
  const actual = await numbersIn(x);
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => {
    expect(value, `element ${index} of [${actual.slice(0, 8).join(', ')}]`).toBeCloseTo(expected[index]!, digits);
  });
}
