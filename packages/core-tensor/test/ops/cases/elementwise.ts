import {
  type ActivationName,
  activations,
  add,
  broadcastTo,
  cast,
  clamp,
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  mul,
  notEqual,
  rsqrt,
  square,
  stopGradient,
  sumTo,
  type Tensor,
  where,
} from '../../../src/index.js';
import type { Cases } from '../../support/case.js';
import { given, offSteps, uniform } from '../../support/host-tensor.js';

const names = Object.keys(activations) as ActivationName[];

export const elementwiseCases = {
  activations: names.map((name) => ({
    name,
    inputs: [offSteps([3, 8], { low: -4.5, high: 4.5 })],
    fn: (x: Tensor) => activations[name](x),
  })),
  'activations far from zero': names
    .filter((name) => name !== 'relu2')
    .map((name) => ({
      name,
      inputs: [given([4], [-60, -20, 20, 60])],
      fn: (x: Tensor) => activations[name](x),
      withRespectTo: [],
    })),
  square: [{ name: 'of a matrix', inputs: [uniform([2, 3])], fn: square }],
  rsqrt: [{ name: 'of a matrix', inputs: [uniform([2, 3], { low: 0.2, high: 4 })], fn: rsqrt }],
  'numbers as operands': [
    { name: 'of floats', inputs: [uniform([4], { low: 1, high: 2 })], fn: (x: Tensor) => div(1, add(mul(2, x), 0.5)) },
    {
      name: 'of int32',
      inputs: [uniform([4], { low: -9, high: 9, dtype: 'int32' })],
      fn: (x: Tensor) => add(mul(x, 3), -1),
    },
  ],
  comparisons: [greater, greaterEqual, notEqual].map((fn) => ({
    name: fn.name,
    inputs: [
      uniform([3, 4], { low: 0, high: 3, dtype: 'int32' as const }),
      uniform([4], { low: 0, high: 3, dtype: 'int32' as const }),
    ],
    fn,
  })),
  clamp: [
    { name: 'to both bounds', inputs: [offSteps([12])], fn: (x: Tensor) => clamp(x, { low: -1, high: 0.5 }) },
    { name: 'from below', inputs: [offSteps([12])], fn: (x: Tensor) => clamp(x, { low: 0 }) },
    {
      name: 'at the bounds',
      inputs: [given([3], [-1, 0, 1])],
      fn: (x: Tensor) => clamp(x, { low: -1, high: 1 }),
      withRespectTo: [],
    },
  ],
  sumTo: (
    [
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 1],
      ],
      [[4, 2, 3], []],
      [
        [2, 3, 2],
        [3, 1],
      ],
    ] as const
  ).map(([from, to]) => ({
    name: `[${from.join(', ')}] to [${to.join(', ')}]`,
    inputs: [uniform(from)],
    fn: (x: Tensor) => sumTo(x, to),
  })),
  broadcastTo: [{ name: 'and back', inputs: [uniform([2, 1])], fn: (x: Tensor) => mul(broadcastTo(x, [3, 2, 4]), x) }],
  stopGradient: [
    {
      name: 'passes values',
      inputs: [uniform([5])],
      fn: (x: Tensor) => mul(stopGradient(exp(x)), x),
      withRespectTo: [],
    },
  ],
  'a chain of conversions': [
    {
      name: 'of comparisons',
      inputs: [offSteps([6])],
      fn: (x: Tensor) => where(equal(cast(less(x, 0), 'int32'), 1), mul(x, 2), mul(x, x)),
    },
  ],
} satisfies Cases;
