import type { PrimitiveName } from '../../../../src/primitives/attributes.js';
import { applies } from '../../../primitives/cases/case.js';
import type { Case } from '../../../support/case.js';
import { type InputSpec, uniform } from '../../../support/host-tensor.js';

const places = (shape: readonly number[], count: number): InputSpec =>
  uniform(shape, { low: 0, high: count, dtype: 'int32' });

/** Values of which many are equal, some infinite, some no numbers. */
const special = (shape: readonly number[]): InputSpec => ({
  ...uniform(shape),
  element: (index, _input, random) =>
    index % 13 === 5 ? Number.NaN : index % 7 === 3 ? -0 : index % 11 === 2 ? -Infinity : Math.round(random * 4) - 2,
});

/** Lines of zeros, of the least floats, and of some that are 10⁴⁰ times as large. */
const extreme = (shape: readonly number[]): InputSpec => ({
  ...uniform(shape),
  element: (index, _input, random) => (index < shape[1]! ? 1e-38 * random : random - 0.5) * (index % 3),
});

const window = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;

/** Sizes at which kernels take other ways than in the small cases that all engines share. */
export const moreCases: { readonly [Name in PrimitiveName]?: readonly Case[] } = {
  transpose: [
    applies('transpose', 'of squares', [uniform([2, 40, 3, 35])], { permutation: [2, 3, 0, 1] }),
    applies('transpose', 'of squares and others', [uniform([33, 2, 5, 34])], { permutation: [3, 1, 2, 0] }),
    applies('transpose', 'of rows of 16 bytes', [uniform([2, 5, 3, 16])], { permutation: [0, 2, 1, 3] }),
  ],
  cumsum: [
    applies('cumsum', 'of long lines', [uniform([2, 700])], { axis: 1, reverse: false }),
    applies('cumsum', 'of long lines from the end', [uniform([2, 700])], { axis: 1, reverse: true }),
    applies('cumsum', 'of lines longer than a tile', [uniform([1, 4500])], { axis: 1, reverse: false }),
    applies('cumsum', 'of int64', [uniform([3, 50], { low: -9, high: 9, dtype: 'int64' })], { axis: 1, reverse: true }),
  ],
  argMax: [
    applies('argMax', 'of a long line', [uniform([2, 9000])], { axis: 1, keepDims: false }),
    applies('argMax', 'with equal values and no numbers', [special([6, 40])], { axis: 1, keepDims: false }),
    applies('argMax', 'of columns with equal values', [special([40, 6])], { axis: 0, keepDims: true }),
    applies('argMax', 'of int64', [uniform([3, 70], { low: -5, high: 5, dtype: 'int64' })], {
      axis: 1,
      keepDims: false,
    }),
  ],
  topKIndices: [
    applies('topKIndices', 'of a long line', [uniform([2, 2600])], { count: 5, largest: true }),
    applies('topKIndices', 'of a long line with equal values', [special([1, 2600])], { count: 40, largest: true }),
    applies('topKIndices', 'of the smallest with equal values', [special([3, 60])], { count: 30, largest: false }),
    applies('topKIndices', 'of nearly all', [uniform([1, 1500])], { count: 1400, largest: false }),
    applies('topKIndices', 'of uint8', [uniform([2, 50], { low: 0, high: 256, dtype: 'uint8' })], {
      count: 9,
      largest: false,
    }),
    applies('topKIndices', 'of int64', [uniform([2, 50], { low: -20, high: 20, dtype: 'int64' })], {
      count: 50,
      largest: true,
    }),
  ],
  scatterAddRows: [
    applies('scatterAddRows', 'of many to some', [places([300], 37), uniform([300, 5])], { rows: 40 }),
    applies('scatterAddRows', 'of many to one', [places([300], 1), uniform([300, 3])], { rows: 2 }),
    applies('scatterAddRows', 'of many to many', [places([200], 500), uniform([200, 4])], { rows: 500 }),
    applies(
      'scatterAddRows',
      'of many int32',
      [places([130], 5), uniform([130], { low: -99, high: 99, dtype: 'int32' })],
      {
        rows: 5,
      },
    ),
    applies(
      'scatterAddRows',
      'of more than are sorted by counting',
      [places([65_600], 300), uniform([65_600], { low: -99, high: 99, dtype: 'int32' })],
      { rows: 300 },
    ),
  ],
  scatterAddAlongAxis: [
    applies('scatterAddAlongAxis', 'of many a line', [places([3, 90], 50), uniform([3, 90])], { axis: 1, size: 60 }),
    applies('scatterAddAlongAxis', 'of tiny and large numbers', [places([2, 40], 9), extreme([2, 40])], {
      axis: 1,
      size: 9,
    }),
    applies('scatterAddAlongAxis', 'of infinities', [places([3, 40], 9), special([3, 40])], { axis: 1, size: 9 }),
    applies('scatterAddAlongAxis', 'of many to a long line', [places([1, 500], 4200), uniform([1, 500])], {
      axis: 1,
      size: 4200,
    }),
    applies(
      'scatterAddAlongAxis',
      'of many int64',
      [places([2, 50], 20), uniform([2, 50], { low: -9, high: 9, dtype: 'int64' })],
      { axis: 1, size: 20 },
    ),
    applies('scatterAddAlongAxis', 'of one a line', [places([9, 1], 300), uniform([9, 1])], { axis: 1, size: 300 }),
  ],
  matmul: [
    applies('matmul', 'of tiles', [uniform([70, 37]), uniform([37, 90])], { transposeA: false, transposeB: false }),
    applies('matmul', 'of tiles with transposes', [uniform([2, 37, 70]), uniform([90, 37])], {
      transposeA: true,
      transposeB: true,
    }),
    applies('matmul', 'of tiles of 128', [uniform([130, 70]), uniform([70, 140])], {
      transposeA: false,
      transposeB: false,
    }),
    applies('matmul', 'of a vector', [uniform([1, 320]), uniform([37, 320])], { transposeA: false, transposeB: true }),
    applies('matmul', 'of few rows', [uniform([2, 5, 128]), uniform([2, 11, 128])], {
      transposeA: false,
      transposeB: true,
    }),
  ],
  conv2d: [
    applies('conv2d', 'of tiles', [uniform([2, 5, 9, 8]), uniform([20, 5, 3, 3])], {
      ...window,
      padding: [1, 1, 1, 1],
    }),
    applies('conv2d', 'of groups in tiles', [uniform([2, 16, 6, 7]), uniform([40, 8, 3, 3])], { ...window, groups: 2 }),
    applies('conv2d', 'of groups', [uniform([1, 6, 7, 7]), uniform([9, 2, 3, 3])], { ...window, groups: 3 }),
    applies('conv2d', 'of single channels, one image', [uniform([1, 6, 12, 10]), uniform([6, 1, 9, 8])], {
      ...window,
      groups: 6,
    }),
    applies('conv2d', 'of single channels with large kernels', [uniform([1, 6, 12, 12]), uniform([6, 1, 10, 10])], {
      ...window,
      groups: 6,
      padding: [1, 1, 1, 1],
    }),
    applies('conv2d', 'of single channels in strides', [uniform([2, 3, 13, 11]), uniform([6, 1, 3, 5])], {
      ...window,
      groups: 3,
      stride: [2, 1],
      dilation: [1, 2],
      padding: [1, 4, 1, 4],
    }),
  ],
  convTranspose2d: [
    applies('convTranspose2d', 'of tiles', [uniform([1, 8, 6, 5]), uniform([8, 20, 3, 3])], {
      ...window,
      stride: [2, 1],
      padding: [1, 1, 1, 1],
      outputPadding: [1, 0],
    }),
  ],
  matmulNBits: [
    applies(
      'matmulNBits',
      'of more rows than are read at once',
      [uniform([20, 64]), uniform([19, 2, 16], { low: 0, high: 256, dtype: 'uint8' }), uniform([19, 2])],
      { bits: 4, blockSize: 32, accuracyLevel: 1 },
    ),
  ],
  matmulBnb4: [
    applies(
      'matmulBnb4',
      'of more rows than are read at once',
      [uniform([20, 64]), uniform([608], { low: 0, high: 256, dtype: 'uint8' }), uniform([19])],
      { format: 'nf4', blockSize: 64, outputs: 19, accuracyLevel: 1 },
    ),
  ],
};
