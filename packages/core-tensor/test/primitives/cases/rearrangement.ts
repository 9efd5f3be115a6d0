import type { DType } from '../../../src/dtype.js';
import { uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

const dtypes: readonly DType[] = ['int32', 'int64', 'uint8', 'bool', 'float16', 'bfloat16'];
const of = (shape: readonly number[], dtype: DType) =>
  uniform(shape, { low: 0, high: dtype === 'bool' ? 2 : 9, dtype });

export const rearrangementCases = {
  reshape: [
    ...(
      [
        [[6], [2, 3]],
        [
          [2, 3, 4],
          [4, 6],
        ],
        [[1], []],
        [
          [0, 3],
          [3, 0],
        ],
      ] as const
    ).map(([from, to]) =>
      applies('reshape', `of [${from.join(', ')}] to [${to.join(', ')}]`, [uniform(from)], { shape: to }),
    ),
    ...dtypes.map((dtype) => applies('reshape', `of ${dtype}`, [of([2, 3], dtype)], { shape: [3, 2] })),
  ],
  transpose: [
    ...(
      [
        [
          [2, 3],
          [1, 0],
        ],
        [
          [2, 3, 4],
          [2, 0, 1],
        ],
        [
          [2, 1, 3, 2],
          [3, 1, 0, 2],
        ],
        [
          [2, 3, 1, 2, 3],
          [4, 3, 2, 1, 0],
        ],
        [
          [2, 1, 2, 2, 1, 3],
          [0, 3, 5, 1, 4, 2],
        ],
        [
          [2, 2, 2, 2, 2, 2, 2],
          [6, 2, 4, 0, 1, 5, 3],
        ],
        [
          [0, 2],
          [1, 0],
        ],
      ] as const
    ).map(([shape, permutation]) =>
      applies('transpose', `of [${shape.join(', ')}] to [${permutation.join(', ')}]`, [uniform(shape)], {
        permutation,
      }),
    ),
    ...dtypes.map((dtype) => applies('transpose', `of ${dtype}`, [of([2, 3], dtype)], { permutation: [1, 0] })),
  ],
  broadcastTo: [
    ...(
      [
        [[], [2, 3]],
        [[3], [2, 3]],
        [
          [2, 1],
          [2, 3],
        ],
        [
          [1, 2, 1, 3],
          [2, 2, 4, 3],
        ],
        [
          [2, 1, 2, 1, 2, 1],
          [2, 2, 2, 2, 2, 2],
        ],
        [
          [1, 3],
          [0, 3],
        ],
      ] as const
    ).map(([from, to]) =>
      applies('broadcastTo', `of [${from.join(', ')}] to [${to.join(', ')}]`, [uniform(from)], { shape: to }),
    ),
    ...dtypes.map((dtype) =>
      applies(
        'broadcastTo',
        `of ${dtype}`,
        [of([2, 1], dtype)],
        { shape: [2, 3] },
        { refusedBy: dtype === 'bfloat16' ? ['ort'] : [] },
      ),
    ),
  ],
  slice: [
    applies('slice', 'of one axis', [uniform([6])], { starts: [1], ends: [4], steps: [1] }),
    applies('slice', 'of two axes', [uniform([4, 5])], { starts: [1, 2], ends: [3, 5], steps: [1, 1] }),
    applies('slice', 'with steps that divide', [uniform([6, 4])], { starts: [0, 1], ends: [6, 4], steps: [2, 3] }),
    applies('slice', 'with steps that do not', [uniform([7, 3])], { starts: [1, 0], ends: [7, 3], steps: [4, 2] }),
    applies('slice', 'of six axes', [uniform([2, 2, 3, 1, 2, 3])], {
      starts: [0, 1, 0, 0, 0, 1],
      ends: [2, 2, 3, 1, 1, 3],
      steps: [1, 1, 2, 1, 1, 1],
    }),
    applies('slice', 'to nothing', [uniform([3, 2])], { starts: [1, 0], ends: [1, 2], steps: [1, 1] }),
    ...dtypes.map((dtype) =>
      applies('slice', `of ${dtype}`, [of([5, 2], dtype)], { starts: [1, 0], ends: [5, 1], steps: [2, 1] }),
    ),
  ],
  pad: [
    applies('pad', 'of one axis', [uniform([3])], { before: [1], after: [2], value: 0 }),
    applies('pad', 'with a value', [uniform([2, 3])], { before: [0, 1], after: [2, 0], value: -1.5 }),
    applies('pad', 'of an image', [uniform([1, 2, 3, 2])], { before: [0, 0, 1, 2], after: [0, 0, 2, 1], value: 0 }),
    applies('pad', 'of five axes', [uniform([2, 1, 2, 1, 2])], {
      before: [1, 0, 0, 1, 0],
      after: [0, 1, 1, 0, 1],
      value: 2,
    }),
    applies('pad', 'of nothing', [uniform([0, 2])], { before: [1, 0], after: [1, 0], value: 3 }),
    ...(['int32', 'int64', 'uint8', 'bool'] as const).map((dtype) =>
      applies('pad', `of ${dtype}`, [of([2, 2], dtype)], { before: [1, 0], after: [0, 1], value: 1 }),
    ),
  ],
  concat: [
    applies('concat', 'of vectors', [uniform([2]), uniform([3])], { axis: 0 }),
    applies('concat', 'along the first axis', [uniform([1, 3]), uniform([2, 3]), uniform([3, 3])], { axis: 0 }),
    applies('concat', 'along the last axis', [uniform([2, 1, 2]), uniform([2, 1, 3])], { axis: 2 }),
    applies('concat', 'with an empty one', [uniform([2, 0]), uniform([2, 3])], { axis: 1 }),
    applies('concat', 'of one tensor twice', [uniform([2, 2])], { axis: 0 }),
    ...dtypes.map((dtype) => applies('concat', `of ${dtype}`, [of([2, 2], dtype), of([2, 1], dtype)], { axis: 1 })),
  ],
} satisfies Partial<CaseTable>;
