import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import {
  concat,
  expandDims,
  flip,
  mergeHeads,
  moveAxis,
  padReflect,
  pixelShuffle,
  pixelUnshuffle,
  repeatInterleave,
  reshape,
  roll,
  select,
  slice,
  sliceAxis,
  split,
  splitHeads,
  squeeze,
  stack,
  type Tensor,
  tile,
  transpose,
} from '../../src/index.js';
import { counting, valuesOf } from '../support/reference.js';

const matrix = counting(2, 3); // 0 1 2 / 3 4 5

const arrangements: readonly (readonly [
  name: string,
  result: Tensor,
  shape: readonly number[],
  values: readonly number[],
])[] = [
  ['reshape infers a size', reshape(matrix, [3, -1]), [3, 2], [0, 1, 2, 3, 4, 5]],
  ['transpose exchanges the last two axes', transpose(matrix), [3, 2], [0, 3, 1, 4, 2, 5]],
  ['transpose takes negative axes', transpose(counting(1, 2, 3), [-1, 0, 1]), [3, 1, 2], [0, 3, 1, 4, 2, 5]],
  ['moveAxis moves one axis', moveAxis(counting(2, 1, 2, 2), 0, -1), [1, 2, 2, 2], [0, 4, 1, 5, 2, 6, 3, 7]],
  ['expandDims inserts an axis', expandDims(matrix, -1), [2, 3, 1], [0, 1, 2, 3, 4, 5]],
  ['squeeze takes one away', squeeze(counting(2, 1, 3), 1), [2, 3], [0, 1, 2, 3, 4, 5]],
  ['slice counts negative bounds from the end', slice(counting(5), [-4], [-1]), [3], [1, 2, 3]],
  ['slice cuts bounds beyond the tensor', slice(counting(3), [1], [9]), [2], [1, 2]],
  ['slice takes every other element', slice(counting(5), [0], [], [2]), [3], [0, 2, 4]],
  ['slice of crossed bounds is empty', slice(counting(3), [2], [1]), [0], []],
  ['sliceAxis keeps the other axes', sliceAxis(matrix, 1, 1), [2, 2], [1, 2, 4, 5]],
  ['select drops the axis', select(matrix, 1, -1), [2], [2, 5]],
  [
    'padReflect mirrors about the outermost',
    padReflect(matrix, [2, 1, 1, 0]),
    [3, 6],
    [5, 4, 3, 4, 5, 4, 2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4],
  ],
  ['concat joins along an axis', concat([matrix, slice(matrix, [0, 0], [2, 1])], -1), [2, 4], [0, 1, 2, 0, 3, 4, 5, 3]],
  ['stack makes an axis', stack([counting(2), counting(2)], 1), [2, 2], [0, 0, 1, 1]],
  ['split cuts in parts', split(counting(5), [1, 3, 1], 0)[1]!, [3], [1, 2, 3]],
  ['split cuts evenly', split(counting(6), 3, 0)[2]!, [2], [4, 5]],
  ['tile repeats as a whole', tile(counting(2), 3, 0), [6], [0, 1, 0, 1, 0, 1]],
  ['repeatInterleave repeats each', repeatInterleave(counting(2), 3, 0), [6], [0, 0, 0, 1, 1, 1]],
  ['roll brings elements back at the other end', roll(counting(5), 2, 0), [5], [3, 4, 0, 1, 2]],
  ['roll by a negative amount', roll(counting(5), -6, 0), [5], [1, 2, 3, 4, 0]],
  ['flip reverses', flip(matrix, 1), [2, 3], [2, 1, 0, 5, 4, 3]],
  ['splitHeads keeps a head contiguous', splitHeads(counting(1, 2, 4), 2), [1, 2, 2, 2], [0, 1, 4, 5, 2, 3, 6, 7]],
  ['mergeHeads undoes it', mergeHeads(splitHeads(counting(1, 2, 4), 2)), [1, 2, 4], [0, 1, 2, 3, 4, 5, 6, 7]],
  ['pixelShuffle interleaves channels', pixelShuffle(counting(1, 4, 1, 2), 2), [1, 1, 2, 4], [0, 2, 1, 3, 4, 6, 5, 7]],
  [
    'pixelUnshuffle undoes it',
    pixelUnshuffle(pixelShuffle(counting(1, 4, 1, 2), 2), 2),
    [1, 4, 1, 2],
    [0, 1, 2, 3, 4, 5, 6, 7],
  ],
];

test.each(arrangements)('%s', async (_name, result, shape, expected) => {
  expect(result.shape).toEqual(shape);
  expect(await valuesOf(result)).toEqual([expected]);
});

test('what changes nothing returns the tensor itself', () => {
  expect(reshape(matrix, [2, 3])).toBe(matrix);
  expect(transpose(matrix, [0, 1])).toBe(matrix);
  expect(slice(matrix, [0, 0])).toBe(matrix);
  expect(concat([matrix], 0)).toBe(matrix);
  expect(roll(matrix, 3, 1)).toBe(matrix);
});

describe('bad arguments are named', () => {
  const mistakes: readonly (readonly [name: string, make: () => unknown, message: string])[] = [
    ['two open sizes', () => reshape(matrix, [-1, -1]), 'reshape: expected one −1 at most'],
    ['an open size that does not divide', () => reshape(matrix, [4, -1]), 'received [2, 3]'],
    [
      'an axis that is not there',
      () => expandDims(matrix, 3),
      'expandDims: expected an axis between -3 and 2, received axis 3',
    ],
    ['an axis larger than one', () => squeeze(matrix, 0), 'squeeze: expected size 1 at axis 0, received [2, 3]'],
    ['too many bounds', () => slice(matrix, [0, 0, 0]), 'slice: expected bounds for at most 2 axes, received [2, 3]'],
    ['an index beyond the axis', () => select(matrix, 1, 3), 'select: expected an index below 3, received 3'],
    [
      'more mirror than image',
      () => padReflect(matrix, [3, 0, 0, 0]),
      'padReflect: expected less padding than the axis is long, received [2, 3]',
    ],
    ['nothing to join', () => concat([], 0), 'concat: expected at least one tensor'],
    [
      'parts that do not add up',
      () => split(matrix, [1, 1], 1),
      'split: expected parts that add up to 3, received [1, 1]',
    ],
    [
      'parts that are no whole numbers',
      () => split(matrix, 2, 1),
      'split: expected parts that add up to 3, received [1.5, 1.5]',
    ],
    [
      'heads that do not divide',
      () => splitHeads(counting(1, 2, 3), 2),
      'splitHeads: expected x [batch, tokens, width] with a width that 2 heads divide, received [1, 2, 3]',
    ],
  ];

  test.each(mistakes)('%s', (_name, make, message) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(message);
  });
});
