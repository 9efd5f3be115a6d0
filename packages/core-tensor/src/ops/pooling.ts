import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { takeAlongAxis } from './indexing.js';
import { pad, reshape, slice, squeeze, stack, transpose } from './rearrange.js';
import { argMax } from './reduce.js';
import { type AxisMap, applySeparable, axisMap } from './separable.js';

type Pair = number | readonly [number, number];

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

/** Options of pooling over windows. */
export interface PoolOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: Pair;
  /** Border on each side of rows and columns. Default: 0. */
  readonly padding?: Pair;
  /** Keep a last window that reaches beyond the border. Default: false. */
  readonly ceilMode?: boolean;
}

/** Number of windows along an axis; with `ceilMode` one that would start beyond the image is dropped. */
function windowCount(size: number, kernel: number, stride: number, padding: number, ceilMode: boolean): number {
  const span = (size + 2 * padding - kernel) / stride;
  const count = (ceilMode ? Math.ceil(span) : Math.floor(span)) + 1;
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

function requireWindows(operation: string, x: Tensor, counts: readonly number[]): void {
  if (x.shape.length < 3 || counts.some((count) => !(count >= 1))) {
    throw new ShapeError({
      operation,
      expected: 'x [..., channels, height, width] at least as large as the window',
      received: [x.shape],
    });
  }
}

/**
 * Mean over windows (PyTorch's `avg_pool2d`). x [..., height, width] → [..., height', width'].
 *
 * @param options.countIncludePad whether the border counts in the divisor. Default: true.
 */
export function avgPool2d(
  x: Tensor,
  kernel: Pair,
  options: PoolOptions & { readonly countIncludePad?: boolean } = {},
): Tensor {
  const { padding = 0, ceilMode = false, countIncludePad = true } = options;
  const [height, width] = x.shape.slice(-2) as [number, number];
  const [kernels, strides, paddings] = [pair(kernel), pair(options.stride ?? kernel), pair(padding)];
  const maps = [height, width].map((size, axis): AxisMap => {
    const [k, stride, border] = [kernels[axis]!, strides[axis]!, paddings[axis]!];
    const count = windowCount(size, k, stride, border, ceilMode);
    requireWindows('avgPool2d', x, [count]);
    return axisMap(count, size, (add) => {
      for (let output = 0; output < count; output++) {
        const start = output * stride - border;
        const end = Math.min(start + k, size + border);
        const [first, last] = [Math.max(start, 0), Math.min(end, size)];
        const divisor = countIncludePad ? end - start : last - first;
        for (let input = first; input < last; input++) add(output, input, 1 / divisor);
      }
    });
  });
  return applySeparable(x, maps[0]!, maps[1]!);
}

/**
 * Mean over cells that divide the image into `outputSize` (PyTorch's `adaptive_avg_pool2d`): cell i covers inputs
 * ⌊i·in/out⌋ … ⌈(i+1)·in/out⌉ − 1. Cells overlap where sizes do not divide, and repeat when enlarging.
 * x [..., height, width] → [..., rows, columns].
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  const [rows, columns] = pair(outputSize);
  requireWindows('adaptiveAvgPool2d', x, [rows, columns]);
  return applySeparable(x, adaptiveMap(x.shape.at(-2)!, rows), adaptiveMap(x.shape.at(-1)!, columns));
}

/** {@link adaptiveAvgPool2d} of the last axis. x [..., length] → [..., outputSize]. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  const asImage = reshape(x, [...x.shape.slice(0, -1), 1, x.shape.at(-1)!]);
  return squeeze(adaptiveAvgPool2d(asImage, [1, outputSize]), -2);
}

/** @internal Also what `interpolate` calls `area`. */
export function adaptiveMap(inputs: number, outputs: number): AxisMap {
  return axisMap(outputs, inputs, (add) => {
    for (let output = 0; output < outputs; output++) {
      const start = Math.floor((output * inputs) / outputs);
      const end = Math.ceil(((output + 1) * inputs) / outputs);
      for (let input = start; input < end; input++) add(output, input, 1 / (end - start));
    }
  });
}

/** Windows side by side: [batch, channels, rows, columns, kernel height · kernel width]. */
function windows(
  x: Tensor,
  [kh, kw]: readonly [number, number],
  [sh, sw]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Tensor {
  const [batch, channels] = x.shape as [number, number];
  const parts = Array.from({ length: kh * kw }, (_, place) => {
    const [top, left] = [Math.floor(place / kw), place % kw];
    return slice(
      x,
      [0, 0, top, left],
      [batch, channels, top + (rows - 1) * sh + 1, left + (columns - 1) * sw + 1],
      [1, 1, sh, sw],
    );
  });
  return stack(parts, -1);
}

/** Border of `value`, wide enough for every window. */
function bordered(
  x: Tensor,
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: readonly [number, number],
  counts: readonly number[],
  value: number,
): Tensor {
  const after = [0, 1].map((axis) => {
    const reached = (counts[axis]! - 1) * stride[axis]! + kernel[axis]!;
    return Math.max(0, reached - padding[axis]! - x.shape[2 + axis]!);
  });
  return pad(x, { before: [0, 0, ...padding], after: [0, 0, ...after], value });
}

/**
 * Largest element of each window (PyTorch's `max_pool2d`); the first of equal ones gets the gradient.
 * x [batch, channels, height, width] → [batch, channels, height', width'].
 */
export function maxPool2d(x: Tensor, kernel: Pair, options: PoolOptions = {}): Tensor {
  const [kernels, strides, paddings] = [pair(kernel), pair(options.stride ?? kernel), pair(options.padding ?? 0)];
  const counts = [0, 1].map((axis) =>
    windowCount(x.shape[2 + axis]!, kernels[axis]!, strides[axis]!, paddings[axis]!, options.ceilMode ?? false),
  ) as [number, number];
  requireWindows('maxPool2d', x, counts);
  // The lowest finite number instead of −∞: the border never wins, and no product with 0 becomes NaN.
  const all = windows(
    bordered(x, kernels, strides, paddings, counts, -3.4028234663852886e38),
    kernels,
    strides,
    counts,
  );
  return squeeze(takeAlongAxis(all, argMax(all, -1, { keepDims: true }), -1), -1);
}

/**
 * Windows as columns (PyTorch's `unfold`).
 * x [batch, channels, height, width] → [batch, channels · kernel height · kernel width, windows].
 */
export function unfold(x: Tensor, kernel: Pair, options: Omit<PoolOptions, 'ceilMode'> = {}): Tensor {
  const [kernels, strides, paddings] = [pair(kernel), pair(options.stride ?? 1), pair(options.padding ?? 0)];
  const counts = [0, 1].map((axis) =>
    windowCount(x.shape[2 + axis]!, kernels[axis]!, strides[axis]!, paddings[axis]!, false),
  ) as [number, number];
  requireWindows('unfold', x, counts);
  const all = windows(bordered(x, kernels, strides, paddings, counts, 0), kernels, strides, counts);
  const [batch, channels, rows, columns, size] = all.shape as [number, number, number, number, number];
  return reshape(transpose(all, [0, 1, 4, 2, 3]), [batch, channels * size, rows * columns]);
}

/** x [batch, channels · r², height, width] → [batch, channels, height · r, width · r] (Shi et al. 2016). */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const split = reshape(x, [batch, channels / factor ** 2, factor, factor, height, width]);
  return reshape(transpose(split, [0, 1, 4, 2, 5, 3]), [
    batch,
    channels / factor ** 2,
    height * factor,
    width * factor,
  ]);
}

/** The inverse of {@link pixelShuffle}: x [batch, channels, height, width] → [batch, channels · r², height / r, width / r]. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const split = reshape(x, [batch, channels, height / factor, factor, width / factor, factor]);
  return reshape(transpose(split, [0, 1, 3, 5, 2, 4]), [
    batch,
    channels * factor ** 2,
    height / factor,
    width / factor,
  ]);
}
