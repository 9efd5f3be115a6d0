import { describe, expect, test } from 'vitest';
import { type DType, dtypes } from '../../src/dtype.js';
import { DTypeError, ShapeError } from '../../src/errors.js';
import type { Shape } from '../../src/graph/shape.js';
import type { PrimitiveAttributes, PrimitiveName } from '../../src/primitives/attributes.js';
import { record, Tensor } from '../../src/tensor.js';

type Operand = readonly [dtype: DType, shape: Shape];

interface Refusal {
  readonly op: PrimitiveName;
  readonly operands: readonly Operand[];
  readonly attributes?: object;
  readonly error: typeof ShapeError | typeof DTypeError;
  /** What the message says beside the operation's name and what it received. */
  readonly expected: string;
  /** The name that users know the operation by, where it is another. */
  readonly operation?: string;
}

const float = (...shape: number[]): Operand => ['float32', shape];
const int = (...shape: number[]): Operand => ['int32', shape];
const bool = (...shape: number[]): Operand => ['bool', shape];

const bytes = (...shape: number[]): Operand => ['uint8', shape];

const nbits = { bits: 4, blockSize: 32, accuracyLevel: 1 };
const nf4 = { format: 'nf4', blockSize: 64, outputs: 3, accuracyLevel: 1 };
const window = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

function shapes(
  op: PrimitiveName,
  operands: readonly Operand[],
  expected: string,
  attributes: object = {},
  operation: string = op,
): Refusal {
  return { op, operands, attributes, error: ShapeError, expected, operation };
}

function types(
  op: PrimitiveName,
  operands: readonly Operand[],
  expected: string,
  attributes: object = {},
  operation: string = op,
): Refusal {
  return { op, operands, attributes, error: DTypeError, expected, operation };
}

const broadcasting = (
  ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'less', 'lessEqual'] as const
).flatMap((op) => [
  shapes(op, [float(2, 3), float(2, 4)], 'shapes that agree'),
  shapes(op, [float(2, 3), float(3, 2)], 'shapes that agree'),
  types(op, [float(2), int(2)], 'inputs of one dtype'),
]);

const refusals: readonly Refusal[] = [
  ...broadcasting,
  ...(
    [
      'exp',
      'log',
      'sqrt',
      'reciprocal',
      'sin',
      'cos',
      'tanh',
      'erf',
      'sigmoid',
      'relu',
      'floor',
      'ceil',
      'round',
    ] as const
  ).map((op) => types(op, [int(2)], 'floating-point inputs')),
  ...(['neg', 'abs', 'sign'] as const).map((op) => types(op, [bool(2)], 'a number dtype')),
  ...(['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum'] as const).map((op) =>
    types(op, [bool(2), bool(2)], 'number dtypes'),
  ),
  types('logicalNot', [float(2)], 'bool inputs'),
  ...(['logicalAnd', 'logicalOr'] as const).flatMap((op) => [
    types(op, [bool(2), float(2)], 'bool inputs'),
    shapes(op, [bool(2), bool(3)], 'shapes that agree'),
  ]),
  types('where', [float(2), float(2), float(2)], 'bool inputs'),
  types('where', [bool(2), float(2), int(2)], 'inputs of one dtype'),
  shapes('where', [bool(2), float(3), float(3)], 'shapes that agree'),
  shapes(
    'reduceSum',
    [float(2, 3)],
    'an axis between -2 and 1, received axis 2',
    { axes: [2], keepDims: false },
    'sum',
  ),
  shapes(
    'reduceMax',
    [float(2, 3)],
    'an axis between -2 and 1, received axis 5',
    { axes: [5], keepDims: false },
    'max',
  ),
  shapes('reduceMax', [float(2, 0)], 'at least one element', { axes: [1], keepDims: false }, 'max'),
  shapes('argMax', [float(2, 0)], 'at least one element', { axis: 1, keepDims: false }),
  shapes('argMax', [float(2)], 'an axis between -1 and 0', { axis: 1, keepDims: false }),
  shapes(
    'topKIndices',
    [float(2, 3)],
    'a count between 1 and the size of the last axis, received count 4',
    { count: 4, largest: true },
    'topK',
  ),
  shapes('topKIndices', [float()], 'a count between 1', { count: 1, largest: true }, 'topK'),
  shapes('cumsum', [float(2)], 'an axis between -1 and 0', { axis: 1, reverse: false }),
  ...(['softmax', 'logSoftmax'] as const).flatMap((op) => [
    shapes(op, [float(2)], 'an axis between -1 and 0', { axis: 1 }),
    types(op, [int(2)], 'floating-point inputs', { axis: 0 }),
  ]),
  shapes('layerNorm', [float(2, 3), float(2), float(3)], 'weight [width]', { epsilon: 1e-5 }),
  types('layerNorm', [int(2, 3), int(3), int(3)], 'floating-point inputs', { epsilon: 1e-5 }),
  shapes('rmsNorm', [float(2, 3), float(2)], 'weight [width]', { epsilon: 1e-5 }),
  types('rmsNorm', [float(2, 3), ['float16', [3]]], 'inputs of one dtype', { epsilon: 1e-5 }),
  shapes('matmul', [float(2, 3), float(4, 5)], 'with one k', { transposeA: false, transposeB: false }),
  shapes('matmul', [float(2, 3), float(3, 5)], 'b [..., n, k]', { transposeA: false, transposeB: true }),
  shapes('matmul', [float(3), float(3, 5)], 'at least two axes', { transposeA: false, transposeB: false }),
  types('matmul', [int(2, 3), int(3, 5)], 'floating-point inputs', { transposeA: false, transposeB: false }),
  shapes('conv2d', [float(1, 3, 5, 5), float(2, 2, 3, 3)], 'x [batch, in, height, width]', window),
  shapes('conv2d', [float(1, 4, 5, 5), float(3, 2, 3, 3)], 'out a multiple of the 2 groups', { ...window, groups: 2 }),
  shapes('conv2d', [float(1, 2, 2, 5), float(2, 2, 3, 3)], 'at least as large as the kernel', window),
  shapes('convTranspose2d', [float(1, 3, 5, 5), float(2, 3, 3, 3)], 'weight [in, out / 1, height, width]', {
    ...window,
    outputPadding: [0, 0],
  }),
  shapes('convTranspose2d', [float(1, 2, 1, 1), float(2, 2, 2, 2)], 'less padding', {
    ...window,
    padding: [1, 1, 1, 1],
    outputPadding: [0, 0],
  }),
  shapes('matmulNBits', [float(2, 40), bytes(3, 1, 16), float(3, 1)], 'scales [n, ⌈k / 32⌉]', nbits),
  shapes('matmulNBits', [float(2, 32), bytes(3, 1, 32), float(3, 1)], 'packed [n, ⌈k / 32⌉, 16]', nbits),
  shapes('matmulNBits', [float(2, 32), bytes(3, 1, 16), float(2, 1)], 'scales [n, ⌈k / 32⌉]', nbits),
  shapes('matmulNBits', [float(2, 64), bytes(3, 2, 16), float(3, 2), bytes(3, 2)], 'zero points [n, ⌈blocks', nbits),
  shapes('matmulNBits', [float(), bytes(3, 1, 16), float(3, 1)], 'x [..., k]', nbits),
  types('matmulNBits', [['float16', [2, 32]], bytes(3, 1, 16), float(3, 1)], 'x and scales of float32', nbits),
  types('matmulNBits', [float(2, 32), int(3, 1, 16), float(3, 1)], 'zero points of uint8', nbits),
  shapes('matmulBnb4', [float(2, 32), bytes(40), float(2)], 'packed [⌈3 · k / 2⌉]', nf4),
  shapes('matmulBnb4', [float(2, 32), bytes(48), float(3)], 'absmax [⌈3 · k / 64⌉]', nf4),
  types('matmulBnb4', [float(2, 32), bytes(48), int(2)], 'x and scales of float32', nf4),
  shapes('reshape', [float(2, 3)], 'as many elements as [4, 2] has (8)', { shape: [4, 2] }),
  shapes('transpose', [float(2, 3)], 'each axis once, received permutation [0, 0]', { permutation: [0, 0] }),
  shapes('broadcastTo', [float(2)], 'shapes that agree', { shape: [3] }),
  shapes('broadcastTo', [float(3)], 'a shape that stretches to [1]', { shape: [1] }),
  shapes('slice', [float(3)], 'bounds within the tensor', { starts: [0], ends: [4], steps: [1] }),
  shapes('slice', [float(3)], 'positive steps', { starts: [0], ends: [3], steps: [0] }),
  shapes('pad', [float(3)], 'a non-negative amount', { before: [-1], after: [0], value: 0 }),
  shapes('concat', [float(2, 3), float(2, 4)], 'shapes that agree on every axis but 0', { axis: 0 }),
  types('concat', [float(2), int(2)], 'inputs of one dtype', { axis: 0 }),
  types('gather', [float(2), float(2)], 'int32 or int64 indices', { axis: 0 }),
  shapes('gather', [float(2), int(2)], 'an axis between -1 and 0', { axis: 1 }),
  shapes('scatterAddRows', [int(2), float(3, 2)], 'indices [n] and updates [n, ...]', { rows: 4 }),
  types('scatterAddRows', [float(2), float(2, 2)], 'int32 or int64 indices', { rows: 4 }),
  shapes('takeAlongAxis', [float(2, 3), int(3, 3)], 'agree on every axis but 1', { axis: 1 }),
  types('takeAlongAxis', [float(2, 3), bool(2, 3)], 'int32 or int64 indices', { axis: 1 }),
  shapes('scatterAddAlongAxis', [int(2, 3), float(2, 2)], 'indices and updates of one shape', { axis: 1, size: 3 }),
  types('scatterAddAlongAxis', [float(2, 3), float(2, 3)], 'int32 or int64 indices', { axis: 1, size: 3 }),
  shapes('updateSlice', [float(2, 3), float(2, 4), int()], 'where it is no longer', { axis: 1 }),
  shapes('updateSlice', [float(2, 3), float(3, 1), int()], 'agrees with x on every axis but 1', { axis: 1 }),
  shapes('updateSlice', [float(2, 3), float(2, 1), int(2)], 'a scalar start', { axis: 1 }),
  types('updateSlice', [float(2, 3), float(2, 1), float()], 'int32 or int64 indices', { axis: 1 }),
  types('updateSlice', [float(2, 3), int(2, 1), int()], 'inputs of one dtype', { axis: 1 }),
  shapes('randomUniform', [int(3)], 'a key of dtype int32 and shape [2]', { shape: [4], stream: 0 }),
  shapes('randomUniform', [float(2)], 'a key of dtype int32 and shape [2]', { shape: [4], stream: 0 }),
];

const named = refusals.map(
  (each) =>
    [
      `${each.op} of ${each.operands.map(([dtype, shape]) => `${dtype} [${shape.join(', ')}]`).join(', ')} ${JSON.stringify(each.attributes)}`,
      each,
    ] as const,
);

describe('an operation that does not fit says its name, what it expects and what it got', () => {
  test.each(named)('%s', (_name, { op, operands, attributes, error, expected, operation }) => {
    const tensors = operands.map(([dtype, shape]) => new Tensor(shape, dtype, { kind: 'input' }));
    let thrown: unknown;
    try {
      record(op, tensors, attributes as PrimitiveAttributes[PrimitiveName]);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBeInstanceOf(error);
    const { message, received } = thrown as ShapeError;
    expect(message.startsWith(`${operation}: expected `), message).toBe(true);
    expect(message).toContain(expected);
    if (error === ShapeError) {
      // Checks of an axis or of bounds report the one tensor they are about.
      const texts = operands.map(([, shape]) => `[${shape.join(', ')}]`);
      expect(
        texts.some((text) => received.includes(text)),
        received,
      ).toBe(true);
    } else {
      expect(
        dtypes.some((dtype) => received.includes(dtype)),
        received,
      ).toBe(true);
    }
  });
});
