import { ShapeError } from '../errors.js';
import { normalizeAxis, type Shape, sameShape, sizeOf } from '../graph/shape.js';
import { record, type Tensor } from '../tensor.js';
import { broadcastTo } from './broadcast.js';
import { gather } from './indexing.js';

/**
 * x with another shape of as many elements, row-major order kept. One size may be −1: it is inferred.
 *
 * @throws ShapeError if the numbers of elements differ.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const resolved = inferSize(x, shape);
  return sameShape(x.shape, resolved) ? x : record('reshape', [x], { shape: resolved });
}

function inferSize(x: Tensor, shape: Shape): Shape {
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  const rest = sizeOf(shape.filter((size) => size !== -1));
  if (shape.lastIndexOf(-1) !== open || rest === 0 || x.size % rest !== 0) {
    throw new ShapeError({
      operation: 'reshape',
      expected: `one −1 at most, the other sizes of [${shape.join(', ')}] dividing the number of elements`,
      received: [x.shape],
    });
  }
  return shape.map((size) => (size === -1 ? x.size / rest : size));
}

/** x with its axes in the order `permutation`; without one, the last two axes are exchanged. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  const order = permutation?.map((axis) => normalizeAxis('transpose', axis, x.shape)) ?? [
    ...axes.slice(0, -2),
    ...axes.slice(-2).reverse(),
  ];
  return sameShape(order, axes) ? x : record('transpose', [x], { permutation: order });
}

/** x with the axis `from` moved to place `to`, the others in order. */
export function moveAxis(x: Tensor, from: number, to: number): Tensor {
  const order = x.shape.map((_, axis) => axis);
  const [axis] = order.splice(normalizeAxis('moveAxis', from, x.shape), 1);
  order.splice(normalizeAxis('moveAxis', to, x.shape), 0, axis!);
  return transpose(x, order);
}

/** x with a new axis of size 1 at place `axis`. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const index = normalizeAxis('expandDims', axis, [...x.shape, 1]);
  return reshape(x, [...x.shape.slice(0, index), 1, ...x.shape.slice(index)]);
}

/** x without an axis of size 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const index = normalizeAxis('squeeze', axis, x.shape);
  if (x.shape[index] !== 1) {
    throw new ShapeError({ operation: 'squeeze', expected: `size 1 at axis ${index}`, received: [x.shape] });
  }
  return reshape(
    x,
    x.shape.filter((_, i) => i !== index),
  );
}

/**
 * The part of x from `starts` (inclusive) to `ends` (exclusive) on each axis, every `steps`-th element.
 * Negative bounds count from the end; bounds beyond the tensor are cut; axes not given are kept whole.
 */
export function slice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly (number | undefined)[] = [],
  steps: readonly number[] = [],
): Tensor {
  if (starts.length > x.shape.length || ends.length > x.shape.length) {
    throw new ShapeError({
      operation: 'slice',
      expected: `bounds for at most ${x.shape.length} axes`,
      received: [x.shape],
    });
  }
  const bound = (value: number, size: number) => Math.min(size, Math.max(0, value < 0 ? value + size : value));
  const from = x.shape.map((size, axis) => bound(starts[axis] ?? 0, size));
  const to = x.shape.map((size, axis) => Math.max(from[axis]!, bound(ends[axis] ?? size, size)));
  const every = x.shape.map((_, axis) => steps[axis] ?? 1);
  const isWhole = x.shape.every((size, axis) => from[axis] === 0 && to[axis] === size && every[axis] === 1);
  return isWhole ? x : record('slice', [x], { starts: from, ends: to, steps: every });
}

/** The part of x with indices start … end − 1 along one axis. */
export function sliceAxis(x: Tensor, axis: number, start: number, end?: number, step = 1): Tensor {
  const index = normalizeAxis('slice', axis, x.shape);
  return slice(
    x,
    x.shape.map((_, i) => (i === index ? start : 0)),
    x.shape.map((size, i) => (i === index ? (end ?? size) : size)),
    x.shape.map((_, i) => (i === index ? step : 1)),
  );
}

/** Element `index` along an axis, without that axis. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const place = normalizeAxis('select', axis, x.shape);
  const size = x.shape[place]!;
  const from = index < 0 ? index + size : index;
  if (from < 0 || from >= size) {
    throw new ShapeError({
      operation: 'select',
      expected: `an index below ${size}, received ${index}`,
      received: [x.shape],
    });
  }
  return squeeze(sliceAxis(x, place, from, from + 1), place);
}

/** Options of {@link pad}. */
export interface PadOptions {
  /** Elements put before each axis. */
  readonly before: readonly number[];
  /** Elements put after each axis. */
  readonly after: readonly number[];
  /** What they are. Default: 0. */
  readonly value?: number;
}

/** x with a border of a constant value. */
export function pad(x: Tensor, { before, after, value = 0 }: PadOptions): Tensor {
  const isNothing =
    before.length === x.shape.length && after.length === x.shape.length && [...before, ...after].every((n) => n === 0);
  return isNothing ? x : record('pad', [x], { before, after, value });
}

/** x [..., height, width] with a border mirrored about the outermost pixels (PyTorch's `reflect`). */
export function padReflect(x: Tensor, [left, right, top, bottom]: readonly [number, number, number, number]): Tensor {
  const mirror = (size: number, before: number, after: number) =>
    Int32Array.from({ length: before + size + after }, (_, i) => {
      const place = Math.abs(i - before);
      return place < size ? place : 2 * (size - 1) - place;
    });
  const [height, width] = x.shape.slice(-2) as [number, number];
  if (Math.max(top, bottom) >= height || Math.max(left, right) >= width) {
    throw new ShapeError({
      operation: 'padReflect',
      expected: 'less padding than the axis is long',
      received: [x.shape],
    });
  }
  const rows = gather(x, mirror(height, top, bottom), { axis: -2 });
  return gather(rows, mirror(width, left, right), { axis: -1 });
}

/** Tensors joined along an existing axis. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 0) {
    throw new ShapeError({ operation: 'concat', expected: 'at least one tensor', received: [] });
  }
  if (tensors.length === 1) return tensors[0]!;
  return record('concat', tensors, { axis: normalizeAxis('concat', axis, tensors[0]!.shape) });
}

/** Tensors of one shape joined along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return concat(
    tensors.map((each) => expandDims(each, axis)),
    axis,
  );
}

/**
 * x cut along an axis.
 *
 * @param sizes the size of each part, or the number of equal parts.
 */
export function split(x: Tensor, sizes: number | readonly number[], axis: number): Tensor[] {
  const index = normalizeAxis('split', axis, x.shape);
  const total = x.shape[index]!;
  const list = typeof sizes === 'number' ? new Array<number>(sizes).fill(total / sizes) : sizes;
  if (list.some((size) => !Number.isInteger(size)) || list.reduce((sum, size) => sum + size, 0) !== total) {
    throw new ShapeError({
      operation: 'split',
      expected: `parts that add up to ${total}, received [${list.join(', ')}]`,
      received: [x.shape],
    });
  }
  let start = 0;
  return list.map((size) => {
    start += size;
    return sliceAxis(x, index, start - size, start);
  });
}

/** x repeated `count` times along an axis as a whole: [a, b] → [a, b, a, b]. */
export function tile(x: Tensor, count: number, axis: number): Tensor {
  const index = normalizeAxis('tile', axis, x.shape);
  return repeatNew(x, index, count, index);
}

/** Each element repeated `count` times along an axis: [a, b] → [a, a, b, b]. */
export function repeatInterleave(x: Tensor, count: number, axis: number): Tensor {
  const index = normalizeAxis('repeatInterleave', axis, x.shape);
  return repeatNew(x, index + 1, count, index);
}

function repeatNew(x: Tensor, place: number, count: number, axis: number): Tensor {
  const spread = [...x.shape.slice(0, place), count, ...x.shape.slice(place)];
  const repeated = broadcastTo(
    reshape(
      x,
      spread.map((size, i) => (i === place ? 1 : size)),
    ),
    spread,
  );
  return reshape(
    repeated,
    x.shape.map((size, i) => (i === axis ? size * count : size)),
  );
}

/** x with its elements along an axis shifted by `amount`; those pushed out come back at the other end. */
export function roll(x: Tensor, amount: number, axis: number): Tensor {
  const size = x.shape[normalizeAxis('roll', axis, x.shape)]!;
  const cut = size === 0 ? 0 : ((-amount % size) + size) % size;
  return cut === 0 ? x : concat([sliceAxis(x, axis, cut), sliceAxis(x, axis, 0, cut)], axis);
}

/** x in reverse order along an axis. */
export function flip(x: Tensor, axis: number): Tensor {
  const size = x.shape[normalizeAxis('flip', axis, x.shape)]!;
  return gather(
    x,
    Int32Array.from({ length: size }, (_, i) => size - 1 - i),
    { axis },
  );
}
