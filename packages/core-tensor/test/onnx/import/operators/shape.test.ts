import { argument, floats, ints } from '../../../../../../test/support/onnx-model.js';
import { tensor } from '../../../../src/index.js';
import { args, compareOperators } from './cases.js';

const x = argument([2, 3, 4], 1, 3);
const picture = argument([2, 8, 4, 6], 2);
const most = 2n ** 63n - 1n;
const places = tensor(Int32Array.of(1, -1, 0, 2), [2, 2], 'int32');

compareOperators({
  Shape: [
    { inputs: [x], outputs: ['int64'] },
    { what: 'in part', inputs: [x], attributes: { start: -2, end: 10 }, outputs: ['int64'] },
  ],
  Size: [{ inputs: [x], outputs: ['int64'] }],
  Reshape: [
    { what: 'with an open size', inputs: [x, ints([0, -1])] },
    { what: 'of nothing', attributes: { allowzero: 1 }, inputs: [tensor(new Float32Array(0), [0, 3]), ints([3, 0])] },
  ],
  Flatten: [
    { inputs: [x], attributes: { axis: 2 } },
    { what: 'to rows', inputs: [x], attributes: { axis: -3 } },
  ],
  Squeeze: [
    { what: 'all', inputs: args([1, 3, 1, 2]) },
    { what: 'one', inputs: [...args([1, 3, 1, 2]), ints([-2])] },
    { what: 'by attribute', opset: 11, inputs: args([1, 3, 1, 2]), attributes: { axes: [0] } },
  ],
  Unsqueeze: [
    { inputs: [x, ints([-1, 0])] },
    { what: 'by attribute', opset: 11, inputs: [x], attributes: { axes: [1, 3] } },
  ],
  Transpose: [{ inputs: [x] }, { what: 'in an order', inputs: [x], attributes: { perm: [1, 2, 0] } }],
  Concat: [{ inputs: args([2, 3], [2, 1], [2, 4]), attributes: { axis: -1 } }],
  Split: [
    {
      what: 'by sizes',
      inputs: [picture, ints([1, 5, 2])],
      attributes: { axis: 1 },
      outputs: Array(3).fill('float32'),
    },
    { what: 'evenly', inputs: [picture], attributes: { axis: 3 }, outputs: ['float32', 'float32'] },
    {
      what: 'by attribute',
      opset: 11,
      inputs: [x],
      attributes: { split: [1, 2], axis: 1 },
      outputs: ['float32', 'float32'],
    },
    {
      what: 'unevenly',
      opset: 18,
      inputs: args([7, 2]),
      attributes: { num_outputs: 3 },
      outputs: Array(3).fill('float32'),
    },
  ],
  Slice: [
    { what: 'with steps', inputs: [x, ints([0, 1]), ints([2, 100]), ints([1, -1]), ints([2, 2])] },
    { what: 'backwards', inputs: [x, ints([-1, 2]), ints([-100, 0]), ints([1, 2]), ints([-1, -1])] },
    { what: 'backwards with steps', inputs: [picture, ints([-1]), ints([-most]), ints([3]), ints([-2])] },
    { what: 'to the end', inputs: [x, ints([-2]), ints([most]), ints([2])] },
    { what: 'to nothing', inputs: [x, ints([2]), ints([1]), ints([1])] },
    { what: 'of the first axes', inputs: [x, ints([1]), ints([2])] },
  ],
  Expand: [{ inputs: [...args([3, 1]), ints([2, 1, 4])] }],
  Tile: [{ inputs: [x, ints([2, 1, 3])] }],
  Pad: [
    { inputs: [x, ints([0, 1, 2, 1, 0, 1]), floats([], [0.5])] },
    { what: 'and cut', inputs: [x, ints([0, 0, -1, 0, 2, -1])] },
    { what: 'mirrored', inputs: [picture, ints([0, 0, 2, 1, 0, 0, 1, 3])], attributes: { mode: 'reflect' } },
    { what: 'with the edge', inputs: [picture, ints([0, 0, 2, 1, 0, 0, 1, 3])], attributes: { mode: 'edge' } },
    { what: 'along axes', opset: 18, inputs: [x, ints([1, 2]), floats([], [1]), ints([-1])] },
  ],
  DepthToSpace: [
    { inputs: [picture], attributes: { blocksize: 2 } },
    { what: 'in the order of PyTorch', inputs: [picture], attributes: { blocksize: 2, mode: 'CRD' } },
  ],
  SpaceToDepth: [{ inputs: [picture], attributes: { blocksize: 2 } }],
  ConstantOfShape: [
    { inputs: [ints([2, 3])] },
    {
      what: 'of a value',
      inputs: [ints([4])],
      attributes: { value: { tensor: ints([-2]) } },
      outputs: ['int64'],
    },
  ],
  Range: [
    { inputs: [ints(3), ints(11), ints(3)], outputs: ['int64'] },
    { what: 'down', inputs: [floats([], [1]), floats([], [-1]), floats([], [-0.5])] },
  ],
  Trilu: [
    { inputs: args([3, 4]) },
    { what: 'below', inputs: [...args([2, 3, 4]), ints(-1)], attributes: { upper: 0 } },
  ],
  EyeLike: [{ inputs: args([3, 4]), attributes: { k: 1 } }],
  OneHot: [
    {
      inputs: [tensor(BigInt64Array.of(2n, 0n, -1n), [3], 'int64'), ints([4]), floats([2], [-1, 3])],
      attributes: { axis: 0 },
    },
  ],
  NonZero: [{ inputs: [floats([2, 3], [1, 0, 2, 0, 3, 0])], outputs: ['int64'] }],
  Gather: [
    { inputs: [x, places], attributes: { axis: -1 } },
    { what: 'one', inputs: [x, ints(-1)], attributes: { axis: 1 } },
    { what: 'several', inputs: [x, ints([1, -2, 0])], attributes: { axis: 1 } },
  ],
  GatherElements: [
    { inputs: [argument([2, 3]), tensor(BigInt64Array.of(1n, -1n, 0n, 2n), [2, 2], 'int64')], attributes: { axis: 1 } },
    { what: 'of fewer rows', inputs: [argument([3, 2]), ints([1, 0], [1, 2])] },
  ],
  GatherND: [
    { inputs: [x, ints([1, 2, 0, -1], [2, 2])] },
    { what: 'in each of a batch', inputs: [x, ints([2, 0], [2, 1])], attributes: { batch_dims: 1 } },
    { what: 'with arguments', inputs: [x, tensor(BigInt64Array.of(1n, 0n, 0n, -1n), [2, 2], 'int64')] },
  ],
  ScatterElements: [
    { inputs: [argument([3, 4]), ints([1, 3, 0, 2], [2, 2]), argument([2, 2], 5)], attributes: { axis: 1 } },
    {
      what: 'added up',
      inputs: [argument([3, 4]), ints([1, 1, 0, -1], [2, 2]), argument([2, 2], 5)],
      attributes: { axis: 1, reduction: 'add' },
    },
  ],
  ScatterND: [
    { inputs: [x, ints([1, 0, 0, 2], [2, 2]), argument([2, 4], 6)] },
    {
      what: 'added up',
      inputs: [x, ints([1, 1], [2, 1]), argument([2, 3, 4], 6)],
      attributes: { reduction: 'add' },
    },
  ],
});
