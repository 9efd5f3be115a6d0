import { normalizeAxes, normalizeAxis, sizeOf } from '../graph/shape.js';
import { record, type Tensor } from '../tensor.js';
import { div, mul, neg, sqrt, square, sub } from './arithmetic.js';
import { takeAlongAxis } from './indexing.js';

/** Options of reductions. */
export interface ReduceOptions {
  /** Axes to reduce; negative ones count from the end. Default: all. */
  readonly axes?: number | readonly number[] | undefined;
  /** Keep the reduced axes with size 1. Default: false. */
  readonly keepDims?: boolean | undefined;
}

/** Sum over axes. */
export function sum(x: Tensor, { axes, keepDims = false }: ReduceOptions = {}): Tensor {
  const list = normalizeAxes('sum', axes, x.shape);
  return list.length === 0 ? x : record('reduceSum', [x], { axes: list, keepDims });
}

/** Mean over axes. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const count = sizeOf(normalizeAxes('mean', options.axes, x.shape).map((axis) => x.shape[axis]!));
  return mul(sum(x, options), 1 / count);
}

/** Largest element over axes; ties share the gradient evenly (PyTorch's `amax`). */
export function max(x: Tensor, { axes, keepDims = false }: ReduceOptions = {}): Tensor {
  const list = normalizeAxes('max', axes, x.shape);
  return list.length === 0 ? x : record('reduceMax', [x], { axes: list, keepDims });
}

/** Smallest element over axes; ties share the gradient evenly. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return neg(max(neg(x), options));
}

/** Variance over axes: mean squared deviation, divided by n − `correction` (default 1, as in PyTorch) instead of n. */
export function variance(x: Tensor, options: ReduceOptions & { readonly correction?: number } = {}): Tensor {
  const { axes, correction = 1 } = options;
  const count = sizeOf(normalizeAxes('variance', axes, x.shape).map((axis) => x.shape[axis]!));
  const centred = sub(x, mean(x, { axes, keepDims: true }));
  return div(sum(square(centred), options), count - correction);
}

/** Standard deviation over axes: the root of {@link variance}. */
export function standardDeviation(x: Tensor, options: ReduceOptions & { readonly correction?: number } = {}): Tensor {
  return sqrt(variance(x, options));
}

/** Index (int32) of the largest element along an axis; the first one on ties. */
export function argMax(x: Tensor, axis = -1, { keepDims = false }: { keepDims?: boolean } = {}): Tensor {
  return record('argMax', [x], { axis: normalizeAxis('argMax', axis, x.shape), keepDims });
}

/**
 * The `count` largest (or smallest) elements of the last axis, in order, with their int32 indices.
 * x [..., n] → values [..., count], indices [..., count].
 */
export function topK(x: Tensor, count: number, { largest = true } = {}): { values: Tensor; indices: Tensor } {
  const indices = record('topKIndices', [x], { count, largest });
  return { values: takeAlongAxis(x, indices, -1), indices };
}
