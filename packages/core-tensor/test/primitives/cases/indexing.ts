import type { DType } from '../../../src/dtype.js';
import { given, type InputSpec, uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

const dtypes: readonly DType[] = ['int32', 'int64', 'uint8', 'bool', 'float16'];
const of = (shape: readonly number[], dtype: DType) =>
  uniform(shape, { low: 0, high: dtype === 'bool' ? 2 : 9, dtype });
const places = (shape: readonly number[], count: number, dtype: DType = 'int32'): InputSpec =>
  uniform(shape, { low: 0, high: count, dtype });

export const indexingCases = {
  gather: [
    ...(
      [
        [[5], [3], 0],
        [[4, 3], [2, 2], 0],
        [[2, 4, 3], [5], 1],
        [[2, 3], [], 1],
        [[3, 2], [0], 0],
        [[1, 2], [4], 0],
      ] as const
    ).map(([shape, indices, axis]) =>
      applies(
        'gather',
        `[${indices.join(', ')}] of [${shape.join(', ')}] along ${axis}`,
        [uniform(shape), places(indices, shape[axis]!)],
        { axis },
      ),
    ),
    applies('gather', 'by int64', [uniform([4, 2]), places([3], 4, 'int64')], { axis: 0 }),
    ...dtypes.map((dtype) => applies('gather', `of ${dtype}`, [of([4, 2], dtype), places([3], 4)], { axis: 0 })),
  ],
  scatterAddRows: [
    applies('scatterAddRows', 'of vectors', [given([5], [2, 0, 2, 2, 1], 'int32'), uniform([5, 3])], { rows: 4 }),
    applies('scatterAddRows', 'of numbers', [given([4], [0, 0, 1, 0], 'int32'), uniform([4])], { rows: 2 }),
    applies('scatterAddRows', 'of matrices by int64', [given([3], [1, 1, 0], 'int64'), uniform([3, 2, 2])], {
      rows: 3,
    }),
    applies('scatterAddRows', 'of nothing', [places([0], 3), uniform([0, 2])], { rows: 3 }),
    applies('scatterAddRows', 'of int32', [given([3], [1, 1, 0], 'int32'), of([3, 2], 'int32')], { rows: 2 }),
  ],
  takeAlongAxis: [
    applies('takeAlongAxis', 'of a vector', [uniform([5]), places([3], 5)], { axis: 0 }),
    applies('takeAlongAxis', 'along the last axis', [uniform([3, 5]), places([3, 1], 5)], { axis: 1 }),
    applies('takeAlongAxis', 'along the middle axis', [uniform([2, 4, 3]), places([2, 6, 3], 4)], { axis: 1 }),
    applies('takeAlongAxis', 'by int64', [uniform([4, 2]), places([2, 2], 4, 'int64')], { axis: 0 }),
    applies('takeAlongAxis', 'of nothing', [uniform([2, 3]), places([2, 0], 3)], { axis: 1 }),
    ...dtypes.map((dtype) =>
      applies('takeAlongAxis', `of ${dtype}`, [of([2, 4], dtype), places([2, 3], 4)], { axis: 1 }),
    ),
  ],
  scatterAddAlongAxis: [
    applies('scatterAddAlongAxis', 'of a vector', [given([4], [1, 1, 0, 1], 'int32'), uniform([4])], {
      axis: 0,
      size: 3,
    }),
    applies('scatterAddAlongAxis', 'along the last axis', [places([3, 4], 2), uniform([3, 4])], { axis: 1, size: 2 }),
    applies('scatterAddAlongAxis', 'along the middle axis', [places([2, 3, 2], 5), uniform([2, 3, 2])], {
      axis: 1,
      size: 5,
    }),
    applies('scatterAddAlongAxis', 'by int64', [places([3, 2], 2, 'int64'), uniform([3, 2])], { axis: 0, size: 2 }),
    applies('scatterAddAlongAxis', 'of nothing', [places([2, 0], 3), uniform([2, 0])], { axis: 1, size: 3 }),
    applies('scatterAddAlongAxis', 'of int32', [places([2, 3], 2), of([2, 3], 'int32')], { axis: 1, size: 2 }),
  ],
  updateSlice: [
    ...(
      [
        [[6], [2], 3, 0],
        [[3, 4], [3, 4], 0, 1],
        [[2, 5, 3], [2, 1, 3], 4, 1],
        [[2, 2, 4, 3], [2, 2, 2, 3], 1, 2],
      ] as const
    ).map(([shape, update, start, axis]) =>
      applies(
        'updateSlice',
        `of [${shape.join(', ')}] by [${update.join(', ')}] at ${start} along ${axis}`,
        [uniform(shape), uniform(update), given([], [start], 'int32')],
        { axis },
      ),
    ),
    applies('updateSlice', 'at an int64', [uniform([4, 2]), uniform([2, 2]), given([1], [1], 'int64')], { axis: 0 }),
    ...dtypes.map((dtype) =>
      applies('updateSlice', `of ${dtype}`, [of([2, 4], dtype), of([2, 3], dtype), given([], [1], 'int32')], {
        axis: 1,
      }),
    ),
  ],
} satisfies Partial<CaseTable>;
