import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { broadcastShapes, normalizeAxes, normalizeAxis, sameShape, sizeOf, stridesOf } from '../../src/graph/shape.js';

test('sizes and strides are row-major, a scalar has one element', () => {
  expect([sizeOf([2, 3, 4]), sizeOf([]), sizeOf([2, 0])]).toEqual([24, 1, 0]);
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
  expect(stridesOf([])).toEqual([]);
});

test('shapes are the same if every axis is', () => {
  expect(sameShape([2, 3], [2, 3])).toBe(true);
  expect(sameShape([2, 3], [3, 2])).toBe(false);
  expect(sameShape([2], [2, 1])).toBe(false);
});

describe('broadcasting', () => {
  test('aligns axes at the end and stretches those of size 1', () => {
    expect(broadcastShapes('add', [4, 1, 3], [2, 1])).toEqual([4, 2, 3]);
    expect(broadcastShapes('add', [], [5])).toEqual([5]);
    expect(broadcastShapes('where', [1], [2, 1], [3])).toEqual([2, 3]);
    expect(broadcastShapes('add', [0, 3], [1, 3])).toEqual([0, 3]);
  });

  test('refuses other differences, and names the operation and the shapes', () => {
    expect(() => broadcastShapes('add', [2, 3], [2])).toThrow(ShapeError);
    expect(() => broadcastShapes('add', [2, 3], [2])).toThrow(
      'add: expected shapes that agree, counted from the last axis, wherever neither size is 1, received [2, 3] and [2]. ' +
        'Insert axes of size 1 with reshape, or transpose one of them.',
    );
    expect(() => broadcastShapes('add', [0], [2])).toThrow(ShapeError);
  });
});

describe('axes', () => {
  test('count from the end where they are negative', () => {
    expect([normalizeAxis('sum', -1, [2, 3, 4]), normalizeAxis('sum', 0, [2, 3, 4])]).toEqual([2, 0]);
    expect(normalizeAxes('sum', [-1, 0], [2, 3, 4])).toEqual([0, 2]);
    expect(normalizeAxes('sum', undefined, [2, 3])).toEqual([0, 1]);
  });

  test.each([3, -4, 0.5, Number.NaN])('are refused beyond the shape: %d', (axis) => {
    expect(() => normalizeAxis('sum', axis, [2, 3, 4])).toThrow(
      `sum: expected an axis between -3 and 2, received axis ${axis}, received [2, 3, 4].`,
    );
  });

  test('are refused twice', () => {
    expect(() => normalizeAxes('sum', [1, -2], [2, 3, 4])).toThrow(
      'sum: expected each axis once, received axes [1, 1], received [2, 3, 4].',
    );
  });
});
