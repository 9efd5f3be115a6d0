import {
  type AttentionOptions,
  applyRotary,
  attention,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  concat,
  crossEntropy,
  dropout,
  dropPath,
  einsum,
  embedding,
  expandDims,
  flip,
  inverseFrequencies,
  linear,
  meanSquaredError,
  mergeHeads,
  moveAxis,
  mul,
  pad,
  randomKey,
  randomNormal,
  randomUniform,
  repeatInterleave,
  roll,
  rotaryTables,
  select,
  slice,
  sliceAxis,
  split,
  splitHeads,
  squeeze,
  stack,
  streamKey,
  type Tensor,
  tensor,
  tile,
  transpose,
} from '../../../src/index.js';
import type { Case, Cases } from '../../support/case.js';
import { given, type InputSpec, uniform } from '../../support/host-tensor.js';

const [q, k, v] = [uniform([2, 4, 3, 2]), uniform([2, 2, 5, 2]), uniform([2, 2, 5, 3])];
const mask = given([1, 1, 3, 5], [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0], 'bool');

function attends(name: string, options: AttentionOptions): Case {
  return { name, inputs: [q, k, v], fn: (a: Tensor, b: Tensor, c: Tensor) => attention(a, b, c, options) };
}

function contracts(equation: string, ...shapes: (readonly number[])[]): Case {
  return {
    name: equation,
    inputs: shapes.map((shape) => uniform(shape)),
    fn: (...tensors: Tensor[]) => einsum(equation, ...tensors),
  };
}

function rearranges(name: string, shape: readonly number[], fn: (x: Tensor) => Tensor | Tensor[]): Case {
  return { name, inputs: [uniform(shape)], fn };
}

function entropy(
  name: string,
  options: CrossEntropyOptions,
  targets: InputSpec = given([2, 3], [0, 3, -100, 1, 1, 2], 'int32'),
): Case {
  return {
    name,
    inputs: [uniform([2, 3, 4]), targets],
    fn: (logits: Tensor, classes: Tensor) => crossEntropy(logits, classes, options),
  };
}

const key = streamKey(randomKey(5));

export const sequenceCases = {
  attention: [
    attends('with fewer key heads', {}),
    attends('of the past', { causal: true }),
    attends('with a scale and changed weights', { scale: 0.3, onWeights: (weights) => mul(weights, 2) }),
    {
      name: 'with a bool mask',
      inputs: [q, k, v, mask],
      fn: (a, b, c, allowed) => attention(a, b, c, { mask: allowed }),
    },
    {
      name: 'with a bias and a mask that is added',
      inputs: [q, k, v, uniform([4, 3, 5]), uniform([2, 1, 1, 5])],
      fn: (a, b, c, bias, added) => attention(a, b, c, { bias, mask: added }),
    },
  ],
  einsum: [
    contracts('ij->ji', [2, 3]),
    contracts('ijk->j', [2, 3, 2]),
    contracts('ij,jk->ik', [2, 3], [3, 4]),
    contracts('bhqd,bhkd->bhqk', [2, 2, 3, 2], [2, 2, 4, 2]),
    contracts('bld,dn->nbl', [2, 3, 2], [2, 4]),
    contracts('i,j->ij', [3], [2]),
    contracts('ab,cb->', [2, 3], [4, 3]),
    contracts('abc,bd->acd', [2, 3, 2], [3, 2]),
  ],
  embedding: [
    {
      name: 'of ids',
      inputs: [given([2, 2], [0, 3, 3, 1], 'int32'), uniform([4, 3])],
      fn: (ids, table) => embedding(ids, table),
    },
    {
      name: 'of int64 ids',
      inputs: [given([3], [2, 0, 2], 'int64'), uniform([3, 2])],
      fn: (ids, table) => embedding(ids, table),
    },
    {
      name: 'with padding',
      inputs: [given([4], [0, 2, 1, 0], 'int32'), uniform([3, 2])],
      fn: (ids, table) => embedding(ids, table, { paddingIndex: 0 }),
      withRespectTo: [],
    },
  ],
  heads: [rearranges('split', [2, 3, 8], (x) => splitHeads(x, 4)), rearranges('merged', [2, 4, 3, 2], mergeHeads)],
  linear: [
    {
      name: 'of tokens',
      inputs: [uniform([2, 3, 4]), uniform([5, 4]), uniform([5])],
      fn: (x, weight, bias) => linear(x, weight, bias),
    },
    { name: 'of a vector without bias', inputs: [uniform([4]), uniform([2, 4])], fn: (x, weight) => linear(x, weight) },
  ],
  crossEntropy: [
    entropy('averaged', {}),
    entropy('smoothed', { labelSmoothing: 0.1 }),
    entropy('summed', { reduction: 'sum' }),
    entropy('one by one', { reduction: 'none' }),
    entropy('with another ignored class', { ignoreIndex: 1 }, given([2, 3], [0, 3, 1, 1, 1, 2], 'int32')),
    entropy('of int64 targets', {}, given([2, 3], [0, 3, -100, 1, 1, 2], 'int64')),
  ],
  binaryCrossEntropyWithLogits: (['mean', 'sum', 'none'] as const).map((reduction) => ({
    name: reduction,
    inputs: [uniform([2, 3], { low: -9, high: 9 }), uniform([2, 3], { low: 0, high: 1 })],
    fn: (logits: Tensor, targets: Tensor) => binaryCrossEntropyWithLogits(logits, targets, { reduction }),
  })),
  meanSquaredError: [
    { name: 'of matrices', inputs: [uniform([2, 3]), uniform([2, 3])], fn: (x, target) => meanSquaredError(x, target) },
  ],
  rotary: [
    {
      name: 'tables',
      inputs: [given([2, 3], [0, 1, 2, 5, 50, 500], 'int32')],
      fn: (positions) => {
        const tables = rotaryTables(positions, tensor(inverseFrequencies(4)), { scaling: 1.2 });
        return [tables.cos, tables.sin];
      },
      // A float32 angle of 500 radians is off by 3·10⁻⁵.
      relative: 1e-4,
    },
    {
      name: 'rotation',
      inputs: [uniform([2, 2, 3, 4]), uniform([2, 1, 3, 2]), uniform([2, 1, 3, 2])],
      fn: (x, cos, sin) => applyRotary(x, { cos, sin }),
    },
  ],
  random: [
    { name: 'uniform', inputs: [], fn: () => randomUniform(key, [4, 5]), relative: 0 },
    { name: 'normal', inputs: [], fn: () => randomNormal(key, [40]) },
    { name: 'dropout', inputs: [uniform([5, 6])], fn: (x) => dropout(x, { rate: 0.4, key }) },
    { name: 'dropPath', inputs: [uniform([6, 2, 2])], fn: (x) => dropPath(x, { rate: 0.5, key }) },
    {
      name: 'dropout under a key that is an argument',
      inputs: [uniform([8]), given([2], [3, -4], 'int32')],
      fn: (x, root) => dropout(x, { rate: 0.5, key: streamKey(root) }),
    },
  ],
  rearrange: [
    rearranges('moveAxis', [2, 3, 4], (x) => moveAxis(x, 0, 2)),
    rearranges('transpose of the last axes', [2, 3, 4], (x) => transpose(x)),
    rearranges('expandDims and squeeze', [2, 3], (x) => squeeze(expandDims(expandDims(x, 1), -1), 1)),
    rearranges('slice from the end', [4, 5], (x) => slice(x, [-3, 1], [-1, 9])),
    rearranges('slice with steps', [7], (x) => slice(x, [1], [undefined], [3])),
    rearranges('sliceAxis', [2, 5], (x) => sliceAxis(x, -1, 1, -1)),
    rearranges('select', [3, 4], (x) => select(x, 0, -1)),
    rearranges('pad', [2, 2], (x) => pad(x, { before: [1, 0], after: [0, 2], value: 0.5 })),
    rearranges('concat with itself', [2, 2], (x) => concat([x, mul(x, 2), x], -1)),
    rearranges('stack', [2, 2], (x) => stack([x, mul(x, x)], 1)),
    rearranges('split', [2, 6], (x) => split(x, [1, 3, 2], 1)),
    rearranges('split evenly', [4, 2], (x) => split(x, 2, 0)),
    rearranges('tile', [2, 2], (x) => tile(x, 3, 0)),
    rearranges('repeatInterleave', [2, 2], (x) => repeatInterleave(x, 3, 1)),
    rearranges('roll', [2, 5], (x) => roll(x, 2, 1)),
    rearranges('roll back', [2, 5], (x) => roll(x, -7, 1)),
    rearranges('flip', [3, 2], (x) => flip(x, 0)),
  ],
} satisfies Cases;
