import { ShapeError } from '../errors.js';
import type { Padding } from '../primitives/attributes.js';
import type { Tensor } from '../tensor.js';
import { add } from './arithmetic.js';
import { conv2dPrimitive, convTranspose2dPrimitive } from './conv-primitives.js';
import { matmul } from './matmul.js';
import { reshape, slice, transpose } from './rearrange.js';

type Pair = number | readonly [number, number];

/** Options of {@link conv2d}. */
export interface Conv2dOptions {
  /** Added per output channel [out]. */
  readonly bias?: Tensor | undefined;
  /** Step of the window, rows and columns. Default: 1. */
  readonly stride?: Pair;
  /** Zeros around the image: all sides, [rows, columns], or [top, left, bottom, right]. Default: 0. */
  readonly padding?: Pair | Padding;
  /** Distance between kernel elements. Default: 1. */
  readonly dilation?: Pair;
  /** Groups of channels that see only each other; as many as channels makes it depthwise. Default: 1. */
  readonly groups?: number;
}

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Rows and columns added at the bottom and the right, below the stride. Default: 0. */
  readonly outputPadding?: Pair;
}

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

function sides(padding: Pair | Padding): Padding {
  if (typeof padding !== 'number' && padding.length === 4) return padding;
  const [rows, columns] = pair(padding as Pair);
  return [rows, columns, rows, columns];
}

function addChannels(x: Tensor, bias: Tensor | undefined): Tensor {
  return bias ? add(x, reshape(bias, [bias.shape[0]!, 1, 1])) : x;
}

/**
 * Two-dimensional cross-correlation (PyTorch's `conv2d`).
 * x [batch, in, height, width], weight [out, in / groups, kernel height, kernel width] → [batch, out, height', width'].
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const attributes = {
    stride: pair(options.stride ?? 1),
    padding: sides(options.padding ?? 0),
    dilation: pair(options.dilation ?? 1),
    groups: options.groups ?? 1,
  };
  const isPatches =
    attributes.groups === 1 &&
    weight.shape.length === 4 &&
    x.shape.length === 4 &&
    x.shape[1] === weight.shape[1] &&
    attributes.stride.every(
      (step, axis) => step > 1 && step === weight.shape[2 + axis] && step <= x.shape[2 + axis]!,
    ) &&
    [...attributes.padding, attributes.dilation[0] - 1, attributes.dilation[1] - 1].every((each) => each === 0);
  return addChannels(isPatches ? patchProduct(x, weight) : conv2dPrimitive(x, weight, attributes), options.bias);
}

/** Windows that do not overlap (patch embeddings): a matrix product, which also has a fast weight gradient. */
function patchProduct(x: Tensor, weight: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [out, , kh, kw] = weight.shape as [number, number, number, number];
  const [rows, columns] = [Math.floor(height / kh), Math.floor(width / kw)];
  const used = slice(x, [0, 0, 0, 0], [batch, channels, rows * kh, columns * kw]);
  const windows = transpose(reshape(used, [batch, channels, rows, kh, columns, kw]), [0, 2, 4, 1, 3, 5]);
  const patches = reshape(windows, [batch * rows * columns, channels * kh * kw]);
  const products = matmul(patches, reshape(weight, [out, channels * kh * kw]), { transposeB: true });
  return transpose(reshape(products, [batch, rows, columns, out]), [0, 3, 1, 2]); // [batch, out, rows, columns]
}

/**
 * Transposed convolution (PyTorch's `conv_transpose2d`): the gradient of {@link conv2d} with respect to its input.
 * x [batch, in, height, width], weight [in, out / groups, kernel height, kernel width] → [batch, out, height', width'],
 * height' = (height − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1.
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const outputPadding = pair(options.outputPadding ?? 0);
  if (outputPadding.some((each, axis) => each >= Math.max(stride[axis]!, dilation[axis]!))) {
    throw new ShapeError({
      operation: 'convTranspose2d',
      expected: 'output padding below the stride or the dilation',
      received: `output padding [${outputPadding.join(', ')}] with stride [${stride.join(', ')}]`,
    });
  }
  const attributes = {
    stride,
    dilation,
    outputPadding,
    padding: sides(options.padding ?? 0),
    groups: options.groups ?? 1,
  };
  return addChannels(convTranspose2dPrimitive(x, weight, attributes), options.bias);
}

/** One-dimensional cross-correlation. x [batch, in, length], weight [out, in / groups, kernel] → [batch, out, length']. */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  {
    bias,
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
  }: { bias?: Tensor; stride?: number; padding?: number; dilation?: number; groups?: number } = {},
): Tensor {
  const asImage = (t: Tensor) => reshape(t, [...t.shape.slice(0, 2), 1, ...t.shape.slice(2)]);
  const y = conv2d(asImage(x), asImage(weight), {
    bias,
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
    groups,
  });
  return reshape(y, [...y.shape.slice(0, 2), y.shape[3]!]);
}
