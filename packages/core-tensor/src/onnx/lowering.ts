import type { OperationNode } from '../graph/graph.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { Conv2dAttributes, PrimitiveName } from '../primitives/attributes.js';
import type { AttributeValue, OnnxBuilder } from './builder.js';
import { lowerMatmulBnb4, lowerMatmulNBits } from './quantized.js';
import { elementTypes } from './schema.js';

/** What a lowering is given: the node, the names of its inputs and their shapes. */
export interface LoweringContext<Name extends PrimitiveName> {
  readonly node: OperationNode<Name>;
  readonly inputs: readonly string[];
  readonly shapes: readonly Shape[];
  readonly builder: OnnxBuilder;
}

type Lowering<Name extends PrimitiveName> = (context: LoweringContext<Name>) => string;

/** An ONNX operator with the same meaning. */
const same =
  (type: string) =>
  ({ inputs, builder }: LoweringContext<PrimitiveName>): string =>
    builder.emit(type, inputs);

/** How each primitive is written in ONNX (opset 21, and ONNX Runtime's own domain where it has a faster form). */
export const lowerings: { readonly [Name in PrimitiveName]: Lowering<Name> } = {
  neg: same('Neg'),
  abs: same('Abs'),
  sign: same('Sign'),
  exp: same('Exp'),
  log: same('Log'),
  sqrt: same('Sqrt'),
  reciprocal: same('Reciprocal'),
  sin: same('Sin'),
  cos: same('Cos'),
  tanh: same('Tanh'),
  erf: same('Erf'),
  sigmoid: same('Sigmoid'),
  relu: same('Relu'),
  floor: same('Floor'),
  ceil: same('Ceil'),
  round: same('Round'),
  logicalNot: same('Not'),
  cast: ({ node, inputs, builder }) =>
    builder.emit('Cast', inputs, { to: { int: elementTypes[node.attributes.dtype] } }),
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: (context) =>
    context.node.dtype === 'int32' || context.node.dtype === 'int64' ? divideIntegers(context) : same('Div')(context),
  pow: same('Pow'),
  maximum: same('Max'),
  minimum: same('Min'),
  equal: same('Equal'),
  less: same('Less'),
  lessEqual: same('LessOrEqual'),
  logicalAnd: same('And'),
  logicalOr: same('Or'),
  where: ({ node, inputs, builder }) => {
    if (node.dtype !== 'bool') return builder.emit('Where', inputs);
    // ONNX Runtime chooses between all dtypes but bool.
    const [condition, a, b] = inputs as [string, string, string];
    return builder.emit('Or', [
      builder.emit('And', [condition, a]),
      builder.emit('And', [builder.emit('Not', [condition]), b]),
    ]);
  },
  reduceSum: ({ node, inputs, builder }) =>
    builder.emit('ReduceSum', [inputs[0]!, builder.integers(node.attributes.axes)], keep(node.attributes.keepDims)),
  reduceMax: ({ node, inputs, builder }) =>
    builder.emit('ReduceMax', [inputs[0]!, builder.integers(node.attributes.axes)], keep(node.attributes.keepDims)),
  argMax: ({ node, inputs, builder }) => {
    const { axis, keepDims } = node.attributes;
    return toInt32(builder, builder.emit('ArgMax', inputs, { axis: { int: axis }, ...keep(keepDims) }));
  },
  topKIndices: ({ node, inputs, builder }) => {
    const { count, largest } = node.attributes;
    const [values, indices] = [builder.freshName('v'), builder.freshName('v')];
    builder.nodes.push({
      op_type: 'TopK',
      domain: '',
      input: [inputs[0]!, builder.integers([count])],
      output: [values, indices],
      attribute: [
        { name: 'axis', type: 2, i: -1 },
        { name: 'largest', type: 2, i: largest ? 1 : 0 },
      ],
    });
    return toInt32(builder, indices);
  },
  cumsum: ({ node, inputs, builder }) =>
    builder.emit('CumSum', [inputs[0]!, builder.scalar(node.attributes.axis, 'int64')], {
      reverse: { int: node.attributes.reverse ? 1 : 0 },
    }),
  softmax: ({ node, inputs, builder }) => builder.emit('Softmax', inputs, { axis: { int: node.attributes.axis } }),
  logSoftmax: ({ node, inputs, builder }) =>
    builder.emit('LogSoftmax', inputs, { axis: { int: node.attributes.axis } }),
  layerNorm: ({ node, inputs, builder }) =>
    builder.emit('LayerNormalization', inputs, { axis: { int: -1 }, epsilon: { float: node.attributes.epsilon } }),
  rmsNorm: ({ node, inputs, builder }) =>
    builder.emit('SimplifiedLayerNormalization', inputs, {
      axis: { int: -1 },
      epsilon: { float: node.attributes.epsilon },
    }),
  matmul: ({ node, inputs, builder }) => {
    const { transposeA, transposeB } = node.attributes;
    if (!transposeA && !transposeB) return builder.emit('MatMul', inputs);
    const flags = { transA: { int: transposeA ? 1 : 0 }, transB: { int: transposeB ? 1 : 0 } };
    return builder.emit('FusedMatMul', inputs, flags, 'com.microsoft');
  },
  matmulNBits: lowerMatmulNBits,
  matmulBnb4: lowerMatmulBnb4,
  conv2d: ({ node, inputs, shapes, builder }) => builder.emit('Conv', inputs, convolution(node.attributes, shapes[1]!)),
  convTranspose2d: ({ node, inputs, shapes, builder }) =>
    builder.emit('ConvTranspose', inputs, {
      ...convolution(node.attributes, shapes[1]!),
      output_padding: { ints: node.attributes.outputPadding },
    }),
  reshape: ({ node, inputs, builder }) =>
    builder.emit('Reshape', [inputs[0]!, builder.integers(node.attributes.shape)], { allowzero: { int: 1 } }),
  transpose: ({ node, inputs, builder }) =>
    builder.emit('Transpose', inputs, { perm: { ints: node.attributes.permutation } }),
  // ONNX Runtime's optimizer takes an Expand that stretches 1 to 0 for one that changes nothing, and drops it.
  broadcastTo: ({ node, inputs, builder }) =>
    sizeOf(node.shape) === 0
      ? builder.zeros(node.shape, node.dtype)
      : builder.emit('Expand', [inputs[0]!, builder.integers(node.attributes.shape)]),
  slice: ({ node, inputs, builder }) => {
    const { starts, ends, steps } = node.attributes;
    const axes = starts.map((_, axis) => axis);
    return builder.emit('Slice', [inputs[0]!, ...[starts, ends, axes, steps].map((list) => builder.integers(list))]);
  },
  pad: ({ node, inputs, builder }) => {
    const { before, after, value } = node.attributes;
    return builder.emit('Pad', [
      inputs[0]!,
      builder.integers([...before, ...after]),
      builder.scalar(value, node.dtype),
    ]);
  },
  concat: ({ node, inputs, builder }) => builder.emit('Concat', inputs, { axis: { int: node.attributes.axis } }),
  gather: ({ node, inputs, builder }) => builder.emit('Gather', inputs, { axis: { int: node.attributes.axis } }),
  // Not ScatterND: ONNX Runtime adds its slices in parallel without locks, and equal indices lose updates.
  scatterAddRows: ({ node, inputs, shapes, builder }) => {
    const [count, ...inner] = shapes[1]!;
    const { rows } = node.attributes;
    const width = sizeOf(inner);
    const updates = builder.emit('Reshape', [inputs[1]!, builder.integers([count!, width])], { allowzero: { int: 1 } });
    const column = builder.emit('Reshape', [inputs[0]!, builder.integers([count!, 1])], { allowzero: { int: 1 } });
    const places = builder.emit('Expand', [column, builder.integers([count!, width])]);
    const sums = builder.emit('ScatterElements', [builder.zeros([rows, width], node.dtype), places, updates], {
      axis: { int: 0 },
      reduction: { string: 'add' },
    });
    return builder.emit('Reshape', [sums, builder.integers([rows, ...inner])], { allowzero: { int: 1 } });
  },
  takeAlongAxis: ({ node, inputs, builder }) =>
    builder.emit('GatherElements', inputs, { axis: { int: node.attributes.axis } }),
  scatterAddAlongAxis: ({ node, inputs, builder }) =>
    builder.emit('ScatterElements', [builder.zeros(node.shape, node.dtype), ...inputs], {
      axis: { int: node.attributes.axis },
      reduction: { string: 'add' },
    }),
  updateSlice: ({ node, inputs, shapes, builder }) => {
    const update = shapes[1]!;
    const { axis } = node.attributes;
    const along = update.map((size, i) => (i === axis ? size : 1));
    const offsets = builder.constant(
      Int32Array.from({ length: update[axis]! }, (_, i) => i),
      along,
      'int32',
    );
    const start = builder.emit('Cast', [inputs[2]!], { to: { int: elementTypes.int32 } });
    const scalar = builder.emit('Reshape', [start, builder.integers([1])]);
    const places = builder.emit('Expand', [builder.emit('Add', [scalar, offsets]), builder.integers(update)]);
    return builder.emit('ScatterElements', [inputs[0]!, places, inputs[1]!], { axis: { int: axis } });
  },
  // ONNX has no counter-based generator, so the numbers are an argument of the model; `lower` replaces this node.
  randomUniform: ({ inputs }) => inputs[0]!,
  // An empty part of each other input, summed, is a zero that cannot be had earlier.
  barrier: ({ node, inputs, shapes, builder }) =>
    inputs.slice(1).reduce((value, other, index) => {
      const vector = shapes[index + 1]!.length === 0 ? builder.emit('Reshape', [other, builder.integers([1])]) : other;
      const zero = builder.integers([0]);
      const nothing = builder.emit('Slice', [vector, zero, zero, zero]);
      const sum = builder.emit('ReduceSum', [nothing], { keepdims: { int: 0 } });
      const none = builder.emit('Cast', [sum], { to: { int: elementTypes[node.dtype] } });
      return builder.emit(node.dtype === 'uint8' ? 'BitwiseOr' : 'Add', [value, none]);
    }, inputs[0]!),
  stopGradient: ({ inputs }) => inputs[0]!,
};

/** The smallest integer over −1 stops the whole process in ONNX Runtime's kernel; its negation wraps around instead. */
function divideIntegers({ node, inputs, builder }: LoweringContext<'div'>): string {
  const [a, b] = inputs as [string, string];
  const isMinusOne = builder.emit('Equal', [b, builder.scalar(-1, node.dtype)]);
  const divisor = builder.emit('Where', [isMinusOne, builder.scalar(1, node.dtype), b]);
  return builder.emit('Where', [isMinusOne, builder.emit('Neg', [a]), builder.emit('Div', [a, divisor])]);
}

function keep(keepDims: boolean): Record<string, AttributeValue> {
  return { keepdims: { int: keepDims ? 1 : 0 } };
}

function convolution(
  { stride, padding, dilation, groups }: Conv2dAttributes,
  weight: Shape,
): Record<string, AttributeValue> {
  return {
    kernel_shape: { ints: weight.slice(2) },
    strides: { ints: stride },
    pads: { ints: padding },
    dilations: { ints: dilation },
    group: { int: groups },
  };
}

function toInt32(builder: OnnxBuilder, name: string): string {
  return builder.emit('Cast', [name], { to: { int: elementTypes.int32 } });
}
