import { describe, expect, test } from 'vitest';
import { ConfigError, ShapeError } from '../../src/errors.js';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  gridSample,
  groupNorm,
  interpolate,
  maxPool2d,
  tensor,
  unfold,
} from '../../src/index.js';
import { counting, valuesOf } from '../support/reference.js';

const image = counting(1, 1, 4, 4); // rows 0–3, 4–7, 8–11, 12–15

describe('windows', () => {
  test('are averaged, the border counting or not', async () => {
    expect(await valuesOf(avgPool2d(image, 2))).toEqual([[2.5, 4.5, 10.5, 12.5]]);
    const [counted, uncounted] = await valuesOf(
      avgPool2d(image, 2, { padding: 1 }),
      avgPool2d(image, 2, { padding: 1, countIncludePad: false }),
    );
    expect(counted).toEqual([0, 0.75, 0.75, 3, 7.5, 4.5, 3, 6.75, 3.75]);
    expect(uncounted).toEqual([0, 1.5, 3, 6, 7.5, 9, 12, 13.5, 15]);
  });

  test('give their largest element, negative ones at the border too', async () => {
    const negative = tensor(
      Float32Array.from({ length: 4 }, (_, i) => -1 - i),
      [1, 1, 2, 2],
    );
    expect(await valuesOf(maxPool2d(image, 2), maxPool2d(negative, 2, { padding: 1 }))).toEqual([
      [5, 7, 13, 15],
      [-1, -2, -3, -4],
    ]);
  });

  test('stand side by side as columns, channels before places', async () => {
    expect(unfold(counting(1, 2, 2, 3), 2).shape).toEqual([1, 8, 2]);
    expect(await valuesOf(unfold(counting(1, 1, 2, 3), 2))).toEqual([[0, 1, 1, 2, 3, 4, 4, 5]]);
  });

  test('adapt to sizes that do not divide by overlapping', async () => {
    expect(await valuesOf(adaptiveAvgPool2d(counting(1, 1, 1, 5), [1, 3]))).toEqual([[0.5, 2, 3.5]]);
  });

  test('are refused where the image is smaller', () => {
    expect(() => maxPool2d(image, 5)).toThrow(ShapeError);
    expect(() => avgPool2d(image, [5, 1])).toThrow(
      'avgPool2d: expected x [..., channels, height, width] at least as large as the window, received [1, 1, 4, 4].',
    );
  });
});

describe('interpolate', () => {
  const row = counting(1, 1, 1, 2);

  test('places pixel centres or corners on each other', async () => {
    const [edges, corners] = await valuesOf(
      interpolate(row, { size: [1, 4], mode: 'bilinear' }),
      interpolate(row, { size: [1, 3], mode: 'bilinear', alignCorners: true }),
    );
    expect(edges).toEqual([0, 0.25, 0.75, 1]);
    expect(corners).toEqual([0, 0.5, 1]);
  });

  test('averages what it shrinks with antialias, and drops it without', async () => {
    const wide = tensor([[[[0, 0, 0, 8]]]]);
    const [smooth, plain] = await valuesOf(
      interpolate(wide, { size: [1, 1], mode: 'bilinear', antialias: true }),
      interpolate(wide, { size: [1, 1], mode: 'nearest' }),
    );
    expect(smooth![0]).toBeCloseTo(8 * (0.625 / 3), 5);
    expect(plain).toEqual([0]);
  });

  test('takes a size or a factor, not both', () => {
    expect(() => interpolate(row, {})).toThrow(
      new ConfigError({ operation: 'interpolate', expected: 'either size or scaleFactor', received: 'neither' }),
    );
    expect(() => interpolate(row, { size: 2, scaleFactor: 2 })).toThrow(ConfigError);
    expect(() => interpolate(row, { scaleFactor: 0.1 })).toThrow(ShapeError);
    expect(() => interpolate(counting(2, 2), { size: 2 })).toThrow(
      'interpolate: expected x [batch, channels, height, width] or [batch, channels, length], received [2, 2].',
    );
  });
});

describe('gridSample', () => {
  const centre = tensor([[[[0, 0]]]]);
  const outside = tensor([[[[3, -3]]]]);

  test('mixes the four pixels around a place', async () => {
    expect(await valuesOf(gridSample(image, centre))).toEqual([[7.5]]);
  });

  test('continues the image as it is told', async () => {
    const [zeros, border, mirrored] = await valuesOf(
      gridSample(image, outside),
      gridSample(image, outside, { paddingMode: 'border' }),
      gridSample(image, outside, { paddingMode: 'reflection', mode: 'nearest', alignCorners: true }),
    );
    expect([zeros, border]).toEqual([[0], [3]]);
    // Column 6 is mirrored about the last to column 0, row −3 about the first to row 3.
    expect(mirrored).toEqual([12]);
  });

  test('refuses a grid of another batch', () => {
    expect(() => gridSample(image, counting(2, 1, 1, 2))).toThrow(
      'gridSample: expected x [batch, channels, height, width] and grid [batch, rows, columns, 2], received [1, 1, 4, 4] and [2, 1, 1, 2].',
    );
  });
});

test('groupNorm refuses groups that do not divide the channels', () => {
  expect(() => groupNorm(counting(1, 3, 2), 2)).toThrow(
    'groupNorm: expected x [batch, channels, ...] with channels a multiple of 2, received [1, 3, 2].',
  );
});
