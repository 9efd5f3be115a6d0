import { expect } from 'vitest';
import { convert, type DType, isFloating } from '../../src/dtype.js';
import type { HostTensor } from './host-tensor.js';

/** Largest error that is accepted, as a share of the largest expected value. */
export const tolerances: { readonly [D in DType]: number } = {
  float32: 1e-5,
  float16: 2e-3,
  bfloat16: 2e-2,
  int64: 0,
  int32: 0,
  uint8: 0,
  bool: 0,
};

export interface CloseOptions {
  /** Overrides the dtype's tolerance. */
  readonly relative?: number | undefined;
  /** What is compared, for the message. */
  readonly what?: string;
}

/** Numbers of any tensor. */
export function numbersOf({ data, dtype }: Pick<HostTensor, 'data' | 'dtype'>): number[] {
  const isBits = (dtype === 'float16' || dtype === 'bfloat16') && data instanceof Uint16Array;
  return Array.from((isBits ? convert(data, dtype, 'float32') : data) as ArrayLike<number | bigint>, Number);
}

/**
 * Asserts equal shapes and dtypes, and values whose largest difference is within `relative` of the largest expected
 * magnitude. Infinities and NaN have to be in the same places; integers have to be equal.
 */
export function expectClose(
  actual: HostTensor,
  expected: HostTensor,
  { relative, what = 'values' }: CloseOptions = {},
): void {
  expect({ shape: actual.shape, dtype: actual.dtype }, what).toEqual({ shape: expected.shape, dtype: expected.dtype });
  const [a, e] = [numbersOf(actual), numbersOf(expected)];
  expect(a.length, `${what}: number of elements`).toBe(e.length);
  const isSpecial = (x: number) => !Number.isFinite(x);
  expect(
    a.map((x) => (isSpecial(x) ? x : 0)),
    `${what}: NaN and infinities`,
  ).toEqual(e.map((x) => (isSpecial(x) ? x : 0)));
  if (!isFloating(expected.dtype)) {
    expect(a, what).toEqual(e);
    return;
  }
  const allowed = relative ?? tolerances[expected.dtype];
  const error = relativeError(a, e);
  if (!(error <= allowed))
    expect.fail(
      `${what}: error ${error} of the largest value, allowed ${allowed}\nreceived ${preview(a)}\nexpected ${preview(e)}`,
    );
}

/** Largest difference as a share of the largest finite expected magnitude; absolute where all of it is zero. */
export function relativeError(actual: readonly number[], expected: readonly number[]): number {
  let [difference, magnitude] = [0, 0];
  expected.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    difference = Math.max(difference, Math.abs(value - actual[i]!));
    magnitude = Math.max(magnitude, Math.abs(value));
  });
  return magnitude === 0 ? difference : difference / magnitude;
}

function preview(values: readonly number[]): string {
  return `[${values
    .slice(0, 12)
    .map((x) => x.toPrecision(7))
    .join(', ')}${values.length > 12 ? ', …' : ''}]`;
}
