import type { Shape } from '../graph/shape.js';
import type { Conv2dAttributes } from '../primitives/attributes.js';
import type { Tensor } from '../tensor.js';
import { conv2dPrimitive } from './conv-primitives.js';
import { matmul } from './matmul.js';
import { reshape, slice, transpose } from './rearrange.js';
import { sum } from './reduce.js';

/**
 * @internal Gradient of a convolution with respect to its weight. It is a convolution itself, of the input by the
 * cotangent as kernel, with stride and dilation exchanged.
 * x [batch, in, height, width], dy [batch, out, oh, ow] → [out, in / groups, kernel height, kernel width]
 */
export function conv2dWeightGradient(x: Tensor, dy: Tensor, shape: Shape, attributes: Conv2dAttributes): Tensor {
  const [, inputs] = x.shape as [number, number];
  const [out, perGroup, height, width] = shape as [number, number, number, number];
  const { groups, padding, stride } = attributes;
  const isPointwise =
    height === 1 && width === 1 && groups === 1 && stride.every((s) => s === 1) && padding.every((p) => p === 0);
  if (isPointwise) return pointwise(x, dy, shape);
  return perGroup === 1 && out === inputs ? depthwise(x, dy, shape, attributes) : grouped(x, dy, shape, attributes);
}

/** 1×1 kernels: one matrix product over all positions. */
function pointwise(x: Tensor, dy: Tensor, shape: Shape): Tensor {
  const rows = (t: Tensor) => reshape(transpose(t, [1, 0, 2, 3]), [t.shape[1]!, -1]); // [channels, batch·height·width]
  return reshape(matmul(rows(dy), rows(x), { transposeB: true }), shape);
}

/** One kernel per channel: batch × channels groups at once, then the sum over the batch. */
function depthwise(x: Tensor, dy: Tensor, shape: Shape, { stride, padding, dilation }: Conv2dAttributes): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const groups = batch * channels;
  const kernels = conv2dPrimitive(
    reshape(x, [1, groups, height, width]),
    reshape(dy, [groups, 1, dy.shape[2]!, dy.shape[3]!]),
    { stride: dilation, dilation: stride, padding, groups },
  ); // [1, batch·channels, kh', kw']
  const perImage = crop(reshape(kernels, [batch, channels, ...kernels.shape.slice(2)]), [
    batch,
    channels,
    shape[2]!,
    shape[3]!,
  ]);
  return reshape(sum(perImage, { axes: 0 }), shape);
}

function grouped(x: Tensor, dy: Tensor, shape: Shape, { stride, padding, dilation, groups }: Conv2dAttributes): Tensor {
  const [batch, inputs, height, width] = x.shape as [number, number, number, number];
  const [, out, outHeight, outWidth] = dy.shape as [number, number, number, number];
  const [perIn, perOut] = [inputs / groups, out / groups];
  const image = reshape(transpose(reshape(x, [batch, groups, perIn, height, width]), [2, 1, 0, 3, 4]), [
    perIn,
    groups * batch,
    height,
    width,
  ]);
  const kernel = reshape(transpose(reshape(dy, [batch, groups, perOut, outHeight, outWidth]), [1, 2, 0, 3, 4]), [
    out,
    batch,
    outHeight,
    outWidth,
  ]);
  const correlated = conv2dPrimitive(image, kernel, { stride: dilation, dilation: stride, padding, groups }); // [perIn, out, kh', kw']
  return transpose(crop(correlated, [perIn, out, shape[2]!, shape[3]!]), [1, 0, 2, 3]);
}

/** Positions that no window reached may leave the correlation larger than the kernel. */
function crop(x: Tensor, shape: Shape): Tensor {
  return slice(
    x,
    shape.map(() => 0),
    shape,
  );
}
