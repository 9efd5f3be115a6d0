import type { DType } from '../../../src/dtype.js';
import type { Case } from '../../support/case.js';
import { distinct, given, type InputSpec, uniform } from '../../support/host-tensor.js';
import { applies, type CaseTable } from './case.js';

const reductions: readonly (readonly [shape: readonly number[], axes: readonly number[], keepDims: boolean])[] = [
  [[5], [0], false],
  [[2, 3], [0], false],
  [[2, 3], [1], true],
  [[2, 3, 4], [1], false],
  [[2, 3, 4], [0, 2], true],
  [[2, 3, 4], [0, 1, 2], false],
  [[2, 1, 3, 2, 2], [0, 2, 4], false],
  [[1, 4], [0], false],
];

function reduces(
  op: 'reduceSum' | 'reduceMax',
  input: (shape: readonly number[]) => InputSpec,
  more: readonly Case[],
): readonly Case[] {
  return reductions
    .map(([shape, axes, keepDims]) =>
      applies(op, `[${shape.join(', ')}] over [${axes.join(', ')}]${keepDims ? ', kept' : ''}`, [input(shape)], {
        axes,
        keepDims,
      }),
    )
    .concat(more);
}

const over = (op: 'reduceSum' | 'reduceMax', dtype: DType): Case =>
  applies(op, `of ${dtype}`, [uniform([3, 4], { low: -9, high: 9, dtype })], { axes: [1], keepDims: false });

const large = (dtype: DType): InputSpec => given([2, 3], [2147483000, 600, -3, 16777217, 16777216, -16777217], dtype);

const lines: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[6], 0],
  [[2, 5], 1],
  [[4, 3], 0],
  [[2, 3, 4], 1],
  [[2, 1, 3], 1],
];

function along<Attributes>(
  op: 'cumsum' | 'softmax' | 'logSoftmax',
  attributes: (axis: number) => Attributes,
  more: readonly Case[] = [],
): readonly Case[] {
  return lines
    .map(([shape, axis]) =>
      applies(op, `of [${shape.join(', ')}] along ${axis}`, [uniform(shape)], attributes(axis) as never),
    )
    .concat([applies(op, 'of no rows', [uniform([0, 3])], attributes(1) as never)], more);
}

const maskedRow = given([3, 4], [1, -Infinity, 2, 0.5, -Infinity, -Infinity, 3, -Infinity, 800, 801, -1000, 799]);
const emptyRow = given([2, 2], [-Infinity, -Infinity, 0, 1]);

export const reductionCases = {
  reduceSum: reduces('reduceSum', uniform, [
    over('reduceSum', 'int32'),
    over('reduceSum', 'int64'),
    applies('reduceSum', 'of large int32', [large('int32')], { axes: [1], keepDims: false }),
    applies('reduceSum', 'of nothing', [uniform([0, 3])], { axes: [0], keepDims: false }),
    applies(
      'reduceSum',
      'of 5000 numbers',
      [uniform([5000])],
      { axes: [0], keepDims: false },
      { withRespectTo: [], relative: 1e-4 },
    ),
  ]),
  reduceMax: reduces('reduceMax', distinct, [
    over('reduceMax', 'int32'),
    over('reduceMax', 'int64'),
    applies('reduceMax', 'of large int32', [large('int32')], { axes: [1], keepDims: false }),
    applies('reduceMax', 'of −∞', [maskedRow], { axes: [1], keepDims: true }, { withRespectTo: [] }),
  ]),
  argMax: [
    ...lines.map(([shape, axis]) =>
      applies(
        'argMax',
        `of [${shape.join(', ')}] along ${axis}`,
        [distinct(shape)],
        { axis, keepDims: axis === 1 },
        { withRespectTo: [] },
      ),
    ),
    applies(
      'argMax',
      'takes the first of equals',
      [given([2, 4], [1, 5, 5, 2, 0, 0, 0, 0])],
      { axis: 1, keepDims: false },
      { withRespectTo: [] },
    ),
    applies('argMax', 'of large int32', [large('int32')], { axis: 1, keepDims: false }),
    applies('argMax', 'of int32', [distinct([3, 5], 'int32')], { axis: 1, keepDims: false }),
  ],
  topKIndices: [
    ...[true, false].flatMap((largest) => [
      applies(
        'topKIndices',
        `of [7], largest ${largest}`,
        [distinct([7])],
        { count: 3, largest },
        { withRespectTo: [] },
      ),
      applies(
        'topKIndices',
        `of [2, 3, 5], largest ${largest}`,
        [distinct([2, 3, 5])],
        { count: 5, largest },
        { withRespectTo: [] },
      ),
      applies(
        'topKIndices',
        `takes the first of equals, largest ${largest}`,
        [given([9], [3, 5, 5, 1, 5, 1, 3, 1, 1])],
        { count: 8, largest },
        { withRespectTo: [] },
      ),
    ]),
    applies('topKIndices', 'of large int32', [large('int32')], { count: 3, largest: true }),
    applies('topKIndices', 'of large int32, smallest', [large('int32')], { count: 3, largest: false }),
    applies('topKIndices', 'of int64', [distinct([2, 6], 'int64')], { count: 2, largest: true }),
  ],
  cumsum: [
    ...along('cumsum', (axis) => ({ axis, reverse: false }), [
      applies('cumsum', 'of int32', [uniform([2, 4], { low: -5, high: 5, dtype: 'int32' })], {
        axis: 1,
        reverse: false,
      }),
      applies('cumsum', 'of large int32', [large('int32')], { axis: 1, reverse: false }),
    ]),
    ...along('cumsum', (axis) => ({ axis, reverse: true })),
  ],
  softmax: along('softmax', (axis) => ({ axis }), [
    applies('softmax', 'with −∞ and large numbers', [maskedRow], { axis: 1 }, { withRespectTo: [] }),
    applies('softmax', 'of a row of −∞', [emptyRow], { axis: 1 }, { withRespectTo: [] }),
  ]),
  logSoftmax: along('logSoftmax', (axis) => ({ axis }), [
    applies('logSoftmax', 'with −∞ and large numbers', [maskedRow], { axis: 1 }, { withRespectTo: [] }),
    applies('logSoftmax', 'of a row of −∞', [emptyRow], { axis: 1 }, { withRespectTo: [] }),
  ]),
  layerNorm: [
    ...[[4], [3, 6], [2, 1, 5], [2, 12], [5, 2], [0, 4]].map((shape) =>
      applies(
        'layerNorm',
        `of [${shape.join(', ')}]`,
        [uniform(shape), uniform(shape.slice(-1)), uniform(shape.slice(-1))],
        { epsilon: 1e-5 },
      ),
    ),
    applies(
      'layerNorm',
      'of equal numbers',
      [given([1, 3], [2, 2, 2]), uniform([3]), uniform([3])],
      { epsilon: 1e-3 },
      { withRespectTo: [] },
    ),
  ],
  rmsNorm: [[4], [3, 6], [2, 1, 5], [0, 4]].map((shape) =>
    applies('rmsNorm', `of [${shape.join(', ')}]`, [uniform(shape), uniform(shape.slice(-1))], { epsilon: 1e-6 }),
  ),
} satisfies Partial<CaseTable>;
