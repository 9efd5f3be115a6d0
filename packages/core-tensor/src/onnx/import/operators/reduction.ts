import { isFloating } from '../../../dtype.js';
import { normalizeAxes, normalizeAxis, sizeOf } from '../../../graph/shape.js';
import { abs, add, div, exp, log, mul, neg, sqrt, square, sub } from '../../../ops/arithmetic.js';
import { cast } from '../../../ops/cast.js';
import { flip, moveAxis, pad, reshape, sliceAxis } from '../../../ops/rearrange.js';
import { argMax, max, type ReduceOptions, sum, topK } from '../../../ops/reduce.js';
import { cumsum } from '../../../ops/scan.js';
import { full, type Tensor } from '../../../tensor.js';
import type { Operator } from '../node-context.js';
import { axesOf } from './shape.js';

type Reduce = (x: Tensor, options: { readonly axes: readonly number[]; readonly keepDims: boolean }) => Tensor;

/** The axes became an input: of sums in opset 13, of all others in opset 18. */
const reduction =
  (fn: Reduce, inputSince = 18): Operator =>
  (node) => {
    const x = node.input(0);
    const given = axesOf(node, inputSince) ?? [];
    const keepDims = node.flag('keepdims', true);
    const isNoop = node.flag('noop_with_empty_axes');
    if (given.length === 0 && isNoop) return x;
    const axes = normalizeAxes('reduce', given.length === 0 ? undefined : given, x.shape);
    return axes.length === 0 ? fn(x, { axes: [], keepDims }) : fn(x, { axes, keepDims });
  };

const mean: Reduce = (x, options) => {
  const count = sizeOf(options.axes.map((axis) => x.shape[axis]!));
  return isFloating(x.dtype) ? mul(sum(x, options), 1 / count) : div(sum(x, options), count);
};

/** Product over axes, halving by halving: there is no primitive for it. */
const product: Reduce = (x, { axes, keepDims }) => {
  let result = x;
  for (const axis of axes) {
    if (result.shape[axis] === 0) result = full(withSize(result.shape, axis, 1), 1, x.dtype);
    while (result.shape[axis]! > 1) {
      const size = result.shape[axis]!;
      const half = Math.floor(size / 2);
      const halves = mul(sliceAxis(result, axis, 0, half), sliceAxis(result, axis, half, 2 * half));
      result = size % 2 === 0 ? halves : withLast(halves, sliceAxis(result, axis, size - 1), axis);
    }
  }
  return keepDims
    ? result
    : reshape(
        result,
        x.shape.filter((_, axis) => !axes.includes(axis)),
      );
};

/** The last element times the first of the others. */
function withLast(x: Tensor, last: Tensor, axis: number): Tensor {
  const after = withSize(
    x.shape.map(() => 0),
    axis,
    x.shape[axis]! - 1,
  );
  return mul(x, pad(last, { before: x.shape.map(() => 0), after, value: 1 }));
}

function withSize(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((each, i) => (i === axis ? size : each));
}

/** Largest element; of truth values, whether any is true. */
const largest: Reduce = (x, options) =>
  x.dtype === 'bool' ? cast(max(cast(x, 'int32'), options), 'bool') : max(x, options);

const smallest: Reduce = (x, options) =>
  x.dtype === 'bool'
    ? cast(neg(max(neg(cast(x, 'int32')), options)), 'bool')
    : x.dtype === 'uint8'
      ? cast(neg(max(neg(cast(x, 'int32')), options)), 'uint8')
      : neg(max(neg(x), options));

const logSumExp: Reduce = (x, { axes, keepDims }) => {
  const top = max(x, { axes, keepDims: true });
  const total = add(log(sum(exp(sub(x, top)), { axes, keepDims: true })), top);
  return keepDims
    ? total
    : reshape(
        total,
        x.shape.filter((_, axis) => !axes.includes(axis)),
      );
};

const argOf =
  (prepare: (x: Tensor) => Tensor): Operator =>
  (node) => {
    const x = prepare(node.input(0));
    const axis = normalizeAxis('ArgMax', node.int('axis', 0), x.shape);
    const keepDims = node.flag('keepdims', true);
    const isLast = node.flag('select_last_index');
    if (!isLast) return cast(argMax(x, axis, { keepDims }), 'int64');
    const fromEnd = cast(argMax(flip(x, axis), axis, { keepDims }), 'int64');
    return sub(full([], x.shape[axis]! - 1, 'int64'), fromEnd);
  };

const topKOf: Operator = (node) => {
  const x = node.input(0);
  const count = node.number(1);
  const axis = normalizeAxis('TopK', node.int('axis', -1), x.shape);
  node.ignore('sorted'); // in order whether that is asked for or not
  const { values, indices } = topK(moveAxis(x, axis, -1), count, { largest: node.flag('largest', true) });
  return [moveAxis(values, -1, axis), cast(moveAxis(indices, -1, axis), 'int64')];
};

const runningSum: Operator = (node) => {
  const x = node.input(0);
  const axis = normalizeAxis('CumSum', node.number(1), x.shape);
  const reverse = node.flag('reverse');
  const sums = cumsum(x, axis, { reverse });
  return node.flag('exclusive') ? sub(sums, x) : sums;
};

/** Reductions, and what orders or adds up along an axis. */
export const reductionOperators = {
  ReduceSum: reduction((x, options: ReduceOptions) => sum(x, options), 13),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(largest),
  ReduceMin: reduction(smallest),
  ReduceProd: reduction(product),
  ReduceL1: reduction((x, options) => sum(abs(x), options)),
  ReduceL2: reduction((x, options) => sqrt(sum(square(x), options))),
  ReduceSumSquare: reduction((x, options) => sum(square(x), options)),
  ReduceLogSum: reduction((x, options) => log(sum(x, options))),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: argOf((x) => x),
  ArgMin: argOf(neg),
  TopK: topKOf,
  CumSum: runningSum,
} satisfies Readonly<Record<string, Operator>>;
