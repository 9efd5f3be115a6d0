import {
  batchNorm,
  groupNorm,
  l2Normalize,
  layerNorm,
  layerNorm2d,
  logSoftmax,
  mean,
  min,
  rmsNorm,
  softmax,
  standardDeviation,
  type Tensor,
  topK,
  variance,
} from '../../../src/index.js';
import type { Cases } from '../../support/case.js';
import { distinct, uniform } from '../../support/host-tensor.js';

const positive = (shape: readonly number[]) => uniform(shape, { low: 0.4, high: 2 });

export const normalizationCases = {
  layerNorm: [
    { name: 'without weight', inputs: [uniform([2, 5])], fn: (x: Tensor) => layerNorm(x) },
    {
      name: 'over two axes',
      inputs: [uniform([2, 3, 4]), uniform([3, 4]), uniform([3, 4])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, { weight, bias }),
    },
    {
      name: 'over three axes without weight',
      inputs: [uniform([2, 2, 3])],
      fn: (x: Tensor) => layerNorm(x, { axes: 3, epsilon: 1e-3 }),
    },
  ],
  layerNorm2d: [
    {
      name: 'of images',
      inputs: [uniform([2, 4, 2, 3]), uniform([4]), uniform([4])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm2d(x, { weight, bias }),
    },
  ],
  rmsNorm: [
    {
      name: 'of tokens',
      inputs: [uniform([2, 3, 4]), uniform([4])],
      fn: (x: Tensor, weight: Tensor) => rmsNorm(x, weight),
    },
  ],
  groupNorm: [
    {
      name: 'of images',
      inputs: [uniform([2, 4, 3, 2]), uniform([4]), uniform([4])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor) => groupNorm(x, 2, { weight, bias }),
    },
    { name: 'of one group without weight', inputs: [uniform([2, 3, 4])], fn: (x: Tensor) => groupNorm(x, 1) },
  ],
  batchNorm: [
    {
      name: 'when training',
      inputs: [uniform([3, 2, 2, 2]), uniform([2]), uniform([2]), uniform([2]), positive([2])],
      fn: (x: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor) =>
        Object.values(batchNorm(x, { weight, bias, runningMean, runningVariance, training: true, momentum: 0.3 })),
    },
    {
      name: 'with running statistics',
      inputs: [uniform([3, 2, 2]), uniform([2]), positive([2])],
      fn: (x: Tensor, runningMean: Tensor, runningVariance: Tensor) => batchNorm(x, { runningMean, runningVariance }).y,
    },
  ],
  l2Normalize: [
    { name: 'of rows', inputs: [uniform([3, 4])], fn: (x: Tensor) => l2Normalize(x) },
    { name: 'of columns', inputs: [uniform([3, 4])], fn: (x: Tensor) => l2Normalize(x, 0) },
  ],
  softmax: [
    { name: 'along a negative axis', inputs: [uniform([2, 3, 4])], fn: (x: Tensor) => softmax(x, -2) },
    { name: 'and its logarithm', inputs: [uniform([2, 3])], fn: (x: Tensor) => logSoftmax(x) },
  ],
  mean: [
    { name: 'of all', inputs: [uniform([2, 3])], fn: (x: Tensor) => mean(x) },
    {
      name: 'of the last axes',
      inputs: [uniform([2, 3, 4])],
      fn: (x: Tensor) => mean(x, { axes: [-1, -2], keepDims: true }),
    },
  ],
  min: [{ name: 'over an axis', inputs: [distinct([3, 4])], fn: (x: Tensor) => min(x, { axes: 0 }) }],
  variance: [
    { name: 'unbiased', inputs: [uniform([3, 4])], fn: (x: Tensor) => variance(x, { axes: 1 }) },
    { name: 'biased, of all', inputs: [uniform([3, 4])], fn: (x: Tensor) => variance(x, { correction: 0 }) },
  ],
  standardDeviation: [
    {
      name: 'over an axis',
      inputs: [uniform([3, 4])],
      fn: (x: Tensor) => standardDeviation(x, { axes: 0, keepDims: true }),
    },
  ],
  topK: [
    { name: 'values', inputs: [distinct([2, 6])], fn: (x: Tensor) => topK(x, 3).values },
    { name: 'smallest values', inputs: [distinct([2, 6])], fn: (x: Tensor) => topK(x, 2, { largest: false }).values },
  ],
} satisfies Cases;
