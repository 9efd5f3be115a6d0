import { broadcastShapes, type Shape, sizeOf } from '../graph/shape.js';
import { sumTo } from '../ops/broadcast.js';
import { conv2dWeightGradient } from '../ops/conv-gradient.js';
import { conv2dPrimitive, convTranspose2dPrimitive } from '../ops/conv-primitives.js';
import { gather } from '../ops/indexing.js';
import { matmul } from '../ops/matmul.js';
import { reshape, slice } from '../ops/rearrange.js';
import { type Tensor, tensor } from '../tensor.js';
import type { Conv2dAttributes, ConvTranspose2dAttributes, PrimitiveAttributes } from './attributes.js';
import { type Primitive, requireFloat, requireSameDType, requireShapes } from './primitive.js';

export const productPrimitives = {
  /** Inputs a [..., m, k] and b [..., k, n] (each as it is after its transposition flag); batch axes broadcast. */
  matmul: {
    infer: (inputs, { transposeA, transposeB }) => {
      requireFloat('matmul', inputs);
      const dtype = requireSameDType('matmul', inputs);
      const [a, b] = inputs.map((input) => input.shape) as [Shape, Shape];
      requireShapes(a.length >= 2 && b.length >= 2, 'matmul', 'inputs of at least two axes', inputs);
      const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
      const [k2, n] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
      requireShapes(
        k === k2,
        'matmul',
        `${transposeA ? 'a [..., k, m]' : 'a [..., m, k]'} and ${transposeB ? 'b [..., n, k]' : 'b [..., k, n]'} with one k`,
        inputs,
        'Transpose one of them, or check the width.',
      );
      const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)];
      requireShapes(
        batchA
          .slice()
          .reverse()
          .every((size, i) => size === 1 || (batchB.at(-1 - i) ?? 1) === 1 || size === batchB.at(-1 - i)),
        'matmul',
        'leading axes that broadcast',
        inputs,
      );
      return { shape: [...broadcastShapes('matmul', batchA, batchB), m, n], dtype };
    },
    gradient: ({ inputs, cotangent: dy, attributes: { transposeA, transposeB }, needs }) => {
      const [a, b] = inputs as [Tensor, Tensor];
      return [
        needs(0)
          ? transposeA
            ? productTo(b, dy, transposeB, true, a.shape)
            : productTo(dy, b, false, !transposeB, a.shape)
          : undefined,
        needs(1)
          ? transposeB
            ? productTo(dy, a, true, transposeA, b.shape)
            : productTo(a, dy, !transposeA, false, b.shape)
          : undefined,
      ];
    },
  } satisfies Primitive<PrimitiveAttributes['matmul']>,

  /** Inputs x [batch, in, height, width] and weight [out, in / groups, kernel height, kernel width]. */
  conv2d: {
    infer: (inputs, attributes) => {
      requireFloat('conv2d', inputs);
      const dtype = requireSameDType('conv2d', inputs);
      const [x, weight] = inputs.map((input) => input.shape) as [Shape, Shape];
      requireShapes(
        x.length === 4 &&
          weight.length === 4 &&
          x[1] === weight[1]! * attributes.groups &&
          weight[0]! % attributes.groups === 0,
        'conv2d',
        `x [batch, in, height, width] and weight [out, in / ${attributes.groups}, height, width], out a multiple of the ${attributes.groups} groups`,
        inputs,
      );
      const size = outputSize(x, weight, attributes);
      requireShapes(
        size.every((each) => each >= 1),
        'conv2d',
        'a padded image at least as large as the kernel',
        inputs,
      );
      return { shape: [x[0]!, weight[0]!, ...size], dtype };
    },
    gradient: ({ inputs, cotangent: dy, attributes, needs }) => {
      const [x, weight] = inputs as [Tensor, Tensor];
      return [
        needs(0) ? inputGradient(dy, weight, x.shape, attributes) : undefined,
        needs(1) ? conv2dWeightGradient(x, dy, weight.shape, attributes) : undefined,
      ];
    },
  } satisfies Primitive<Conv2dAttributes>,

  /** Inputs x [batch, in, height, width] and weight [in, out / groups, kernel height, kernel width]. */
  convTranspose2d: {
    infer: (inputs, attributes) => {
      requireFloat('convTranspose2d', inputs);
      const dtype = requireSameDType('convTranspose2d', inputs);
      const [x, weight] = inputs.map((input) => input.shape) as [Shape, Shape];
      const { stride, padding, dilation, outputPadding, groups } = attributes;
      requireShapes(
        x.length === 4 && weight.length === 4 && x[1] === weight[0] && weight[0]! % groups === 0,
        'convTranspose2d',
        `x [batch, in, height, width] and weight [in, out / ${groups}, height, width], in a multiple of the ${groups} groups`,
        inputs,
      );
      const size = [0, 1].map(
        (axis) =>
          (x[2 + axis]! - 1) * stride[axis]! -
          padding[axis]! -
          padding[axis + 2]! +
          dilation[axis]! * (weight[2 + axis]! - 1) +
          outputPadding[axis]! +
          1,
      );
      requireShapes(
        size.every((each) => each >= 1),
        'convTranspose2d',
        'less padding than the output is large',
        inputs,
      );
      return { shape: [x[0]!, weight[1]! * groups, ...size], dtype };
    },
    // A transposed convolution is the input gradient of a convolution with the same weight, so the roles swap.
    gradient: ({ inputs, cotangent: dy, attributes, needs }) => {
      const [x, weight] = inputs as [Tensor, Tensor];
      const { stride, padding, dilation, groups } = attributes;
      const convolution = { stride, padding, dilation, groups };
      return [
        needs(0) ? cropTo(conv2dPrimitive(dy, weight, convolution), x.shape) : undefined,
        needs(1) ? conv2dWeightGradient(dy, x, weight.shape, convolution) : undefined,
      ];
    },
  } satisfies Primitive<ConvTranspose2dAttributes>,
};

/** Product summed over the axes that were broadcast, so that it has `shape`. */
function productTo(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean, shape: Shape): Tensor {
  // A matrix shared by a batch: sum over batch and rows in one product instead of a batch of products and a sum.
  if (shape.length === 2 && a.shape.length === b.shape.length && a.shape.length > 2 && transposeA && !transposeB) {
    const [rowsA, rowsB] = [a, b].map((x) => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!])) as [
      Tensor,
      Tensor,
    ];
    if (rowsA.shape[0] === rowsB.shape[0]) return matmul(rowsA, rowsB, { transposeA: true });
  }
  return sumTo(matmul(a, b, { transposeA, transposeB }), shape);
}

function outputSize(x: Shape, weight: Shape, { stride, padding, dilation }: Conv2dAttributes): number[] {
  return [0, 1].map((axis) => {
    const extent = dilation[axis]! * (weight[2 + axis]! - 1) + 1;
    return Math.floor((x[2 + axis]! + padding[axis]! + padding[axis + 2]! - extent) / stride[axis]!) + 1;
  });
}

/** Gradient of a convolution with respect to its input: a transposed convolution with the same weight. */
function inputGradient(dy: Tensor, weight: Tensor, shape: Shape, attributes: Conv2dAttributes): Tensor {
  const { stride, padding, dilation, groups } = attributes;
  const isDepthwise = groups === shape[1] && groups === weight.shape[0];
  if (isDepthwise && stride.every((each) => each === 1)) return flippedDepthwise(dy, weight, attributes);
  const outputPadding = [0, 1].map((axis) => {
    const covered =
      (dy.shape[2 + axis]! - 1) * stride[axis]! +
      dilation[axis]! * (weight.shape[2 + axis]! - 1) +
      1 -
      padding[axis]! -
      padding[axis + 2]!;
    return shape[2 + axis]! - covered;
  });
  return convTranspose2dPrimitive(dy, weight, { ...attributes, outputPadding: [outputPadding[0]!, outputPadding[1]!] });
}

/** For depthwise kernels a convolution with the flipped kernel runs about three times as fast as its transpose. */
function flippedDepthwise(dy: Tensor, weight: Tensor, { padding, dilation, groups }: Conv2dAttributes): Tensor {
  const extent = [0, 1].map((axis) => dilation[axis]! * (weight.shape[2 + axis]! - 1));
  const flipped = reverseKernel(weight);
  const widened: [number, number, number, number] = [
    extent[0]! - padding[0],
    extent[1]! - padding[1],
    extent[0]! - padding[2],
    extent[1]! - padding[3],
  ];
  // Padding wider than the kernel: convolve without padding, then cut.
  const kept = widened.map((each) => Math.max(0, each)) as [number, number, number, number];
  const dx = conv2dPrimitive(dy, flipped, { stride: [1, 1], padding: kept, dilation, groups });
  const cut = widened.map((each) => Math.max(0, -each));
  return slice(
    dx,
    [0, 0, cut[0]!, cut[1]!],
    dx.shape.map((size, axis) => (axis < 2 ? size : size - cut[axis]!)),
  );
}

function reverseKernel(weight: Tensor): Tensor {
  const [out, inputs, height, width] = weight.shape as [number, number, number, number];
  const order = Int32Array.from({ length: height * width }, (_, index) => height * width - 1 - index);
  const flat = reshape(weight, [out, inputs, height * width]);
  return reshape(gatherConstant(flat, order), [out, inputs, height, width]);
}

function cropTo(x: Tensor, shape: Shape): Tensor {
  return slice(
    x,
    shape.map(() => 0),
    shape,
  );
}

function gatherConstant(x: Tensor, order: Int32Array): Tensor {
  return gather(x, tensor(order, [order.length], 'int32'), { axis: -1 });
}
