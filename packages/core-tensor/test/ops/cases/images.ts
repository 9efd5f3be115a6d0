import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  gridSample,
  type InterpolateOptions,
  interpolate,
  maxPool2d,
  padReflect,
  pixelShuffle,
  pixelUnshuffle,
  type Tensor,
  unfold,
} from '../../../src/index.js';
import type { Cases } from '../../support/case.js';
import { distinct, type InputSpec, uniform } from '../../support/host-tensor.js';

const interpolations: readonly (readonly [shape: readonly number[], options: InterpolateOptions])[] = [
  [[1, 2, 3, 4], { size: [5, 7] }],
  [[1, 2, 5, 4], { scaleFactor: 0.6, mode: 'nearest-exact' }],
  [[1, 2, 3, 4], { size: [6, 5], mode: 'bilinear' }],
  [[1, 2, 3, 4], { size: 5, mode: 'bilinear', alignCorners: true }],
  [[1, 1, 6, 7], { size: [3, 4], mode: 'bilinear', antialias: true }],
  [[1, 1, 4, 5], { scaleFactor: [1.5, 2.2], mode: 'bicubic' }],
  [[1, 1, 4, 5], { size: [7, 3], mode: 'bicubic', alignCorners: true }],
  [[1, 1, 6, 5], { size: [3, 7], mode: 'bicubic', antialias: true }],
  [[1, 2, 5, 4], { size: [2, 3], mode: 'area' }],
  [[2, 2, 5], { size: 8, mode: 'linear' }],
];

/** Places away from pixel centres and borders, where bilinear sampling has its kinks: ±(k + 0.35) / 4. */
const grid: InputSpec = {
  shape: [2, 2, 3, 2],
  dtype: 'float32',
  element: (index) => (((index * 5) % 11) - 5 + 0.35 * (index % 2 === 0 ? 1 : -1)) / 4.3,
};

export const imageCases = {
  conv2d: [
    {
      name: 'with a bias',
      inputs: [uniform([2, 3, 4, 4]), uniform([2, 3, 3, 3]), uniform([2])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => conv2d(x, weight, { bias, padding: 1 }),
    },
    {
      name: 'of patches',
      inputs: [uniform([2, 3, 5, 6]), uniform([4, 3, 2, 3]), uniform([4])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => conv2d(x, weight, { bias, stride: [2, 3] }),
    },
    {
      name: 'depthwise with a stride',
      inputs: [uniform([2, 3, 5, 5]), uniform([3, 1, 3, 3])],
      fn: (x: Tensor, weight: Tensor) => conv2d(x, weight, { stride: 2, padding: [1, 0], groups: 3 }),
    },
    {
      name: 'with four paddings and a dilation',
      inputs: [uniform([1, 2, 5, 5]), uniform([2, 2, 2, 2])],
      fn: (x: Tensor, weight: Tensor) => conv2d(x, weight, { padding: [0, 1, 2, 3], dilation: [1, 2] }),
    },
  ],
  convTranspose2d: [
    {
      name: 'doubling',
      inputs: [uniform([1, 3, 2, 3]), uniform([3, 2, 2, 2]), uniform([2])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => convTranspose2d(x, weight, { bias, stride: 2 }),
    },
    {
      name: 'with output padding and groups',
      inputs: [uniform([1, 4, 2, 3]), uniform([4, 1, 3, 3])],
      fn: (x: Tensor, weight: Tensor) =>
        convTranspose2d(x, weight, { stride: 2, padding: 1, outputPadding: 1, groups: 4 }),
    },
  ],
  conv1d: [
    {
      name: 'with a stride',
      inputs: [uniform([2, 3, 9]), uniform([4, 3, 3]), uniform([4])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => conv1d(x, weight, { bias, stride: 2, padding: 1 }),
    },
  ],
  avgPool2d: [
    { name: 'of squares', inputs: [uniform([1, 2, 4, 6])], fn: (x: Tensor) => avgPool2d(x, 2) },
    {
      name: 'with a border that counts',
      inputs: [uniform([1, 2, 5, 5])],
      fn: (x: Tensor) => avgPool2d(x, 3, { stride: 2, padding: 1 }),
    },
    {
      name: 'with a border that does not',
      inputs: [uniform([1, 2, 5, 6])],
      fn: (x: Tensor) => avgPool2d(x, [3, 2], { stride: 2, padding: 1, countIncludePad: false, ceilMode: true }),
    },
  ],
  adaptiveAvgPool2d: [
    { name: 'to sizes that divide', inputs: [uniform([1, 2, 4, 6])], fn: (x: Tensor) => adaptiveAvgPool2d(x, [2, 3]) },
    { name: 'to sizes that do not', inputs: [uniform([2, 1, 5, 7])], fn: (x: Tensor) => adaptiveAvgPool2d(x, [3, 4]) },
  ],
  adaptiveAvgPool1d: [{ name: 'of tokens', inputs: [uniform([2, 3, 7])], fn: (x: Tensor) => adaptiveAvgPool1d(x, 3) }],
  maxPool2d: [
    { name: 'of squares', inputs: [distinct([1, 2, 4, 4])], fn: (x: Tensor) => maxPool2d(x, 2) },
    {
      name: 'of overlapping windows',
      inputs: [distinct([1, 2, 5, 5])],
      fn: (x: Tensor) => maxPool2d(x, 3, { stride: 2, padding: 1 }),
    },
    {
      name: 'with a last partial window',
      inputs: [distinct([1, 1, 5, 5])],
      fn: (x: Tensor) => maxPool2d(x, 2, { ceilMode: true }),
    },
  ],
  unfold: [
    { name: 'of windows that touch', inputs: [uniform([2, 2, 4, 4])], fn: (x: Tensor) => unfold(x, 2, { stride: 2 }) },
    {
      name: 'of windows that overlap',
      inputs: [uniform([1, 2, 3, 4])],
      fn: (x: Tensor) => unfold(x, 3, { padding: 1 }),
    },
  ],
  pixelShuffle: [
    { name: 'by two', inputs: [uniform([1, 8, 2, 3])], fn: (x: Tensor) => pixelShuffle(x, 2) },
    { name: 'undone', inputs: [uniform([1, 2, 4, 6])], fn: (x: Tensor) => pixelUnshuffle(x, 2) },
  ],
  padReflect: [
    { name: 'on all sides', inputs: [uniform([1, 2, 3, 4])], fn: (x: Tensor) => padReflect(x, [1, 3, 2, 0]) },
  ],
  interpolate: interpolations.map(([shape, options]) => ({
    name: `of [${shape.join(', ')}] with ${JSON.stringify(options)}`,
    inputs: [uniform(shape)],
    fn: (x: Tensor) => interpolate(x, options),
  })),
  gridSample: (['bilinear', 'nearest'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((paddingMode) =>
      [false, true].map((alignCorners) => ({
        name: JSON.stringify({ mode, paddingMode, alignCorners }),
        inputs: [uniform([2, 2, 4, 5]), grid],
        fn: (x: Tensor, places: Tensor) => gridSample(x, places, { mode, paddingMode, alignCorners }),
      })),
    ),
  ),
} satisfies Cases;
