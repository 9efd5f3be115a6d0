import { argument, floats, ints, noise } from '../../../../../../test/support/onnx-model.js';
import { args, compareOperators } from './cases.js';

const x = argument([2, 6, 4, 3], 1, 2);
const channels = (seed: number) => floats([6], noise(seed));
const spread = floats([6], (index) => 0.5 + index / 3);
const over = (axes: readonly number[]) => [x, ints(axes)];
const reductions = [
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSumExp',
];

compareOperators({
  LayerNormalization: [
    { inputs: [x, floats([3], noise(1)), floats([3], noise(2))] },
    {
      what: 'over several axes',
      inputs: [x, floats([4, 3], noise(1))],
      attributes: { axis: -2, epsilon: { float: 1e-6 } },
    },
    {
      what: 'with what it computed',
      inputs: [x, floats([3], noise(1)), floats([3], noise(2))],
      outputs: ['float32', 'float32', 'float32'],
    },
  ],
  SimplifiedLayerNormalization: [{ inputs: [x, floats([3], noise(1))], attributes: { epsilon: { float: 1e-6 } } }],
  BatchNormalization: [{ inputs: [x, channels(1), channels(2), channels(3), spread] }],
  InstanceNormalization: [{ inputs: [x, channels(1), channels(2)] }],
  GroupNormalization: [
    { opset: 21, inputs: [x, channels(1), channels(2)], attributes: { num_groups: 3 } },
    {
      what: 'with a gain for each group',
      opset: 18,
      inputs: [x, floats([3], noise(1)), floats([3], noise(2))],
      attributes: { num_groups: 3 },
    },
  ],
  LpNormalization: [
    { inputs: [x], attributes: { axis: 1 } },
    { what: 'by sums', inputs: [x], attributes: { axis: -1, p: 1 } },
  ],
  MeanVarianceNormalization: [{ inputs: [x], relative: 1e-4 }],
  ...Object.fromEntries(
    reductions.map((type) => [
      type,
      [
        { what: 'by attribute', inputs: [x], attributes: { axes: [1, -1], keepdims: 0 } },
        { what: 'by input', opset: 18, inputs: over([1]) },
        { what: 'of everything', opset: 13, inputs: args([2, 3]) },
      ],
    ]),
  ),
  ReduceSum: [
    { what: 'by attribute', opset: 11, inputs: [x], attributes: { axes: [2] } },
    { what: 'by input', inputs: over([0, 3]), attributes: { keepdims: 0 } },
    { what: 'of nothing', inputs: over([]), attributes: { noop_with_empty_axes: 1 } },
    { what: 'of everything', inputs: over([]) },
  ],
  ReduceLogSum: [{ inputs: [floats([2, 3], (index) => index + 1)], attributes: { axes: [1] } }],
  ArgMax: [
    { inputs: [x], attributes: { axis: 1 }, outputs: ['int64'] },
    {
      what: 'the last of equal ones',
      inputs: [floats([2, 3], [1, 4, 4, 2, 0, 2])],
      attributes: { axis: -1, keepdims: 0, select_last_index: 1 },
      outputs: ['int64'],
    },
  ],
  ArgMin: [{ inputs: [x], attributes: { axis: 2, keepdims: 0 }, outputs: ['int64'] }],
  TopK: [
    { inputs: [x, ints([2])], attributes: { axis: 1 }, outputs: ['float32', 'int64'] },
    { what: 'of the smallest', inputs: [x, ints([1])], attributes: { largest: 0 }, outputs: ['float32', 'int64'] },
  ],
  CumSum: [
    { inputs: [x, ints(1)] },
    { what: 'before each, from the end', inputs: [x, ints(-1)], attributes: { exclusive: 1, reverse: 1 } },
  ],
});
