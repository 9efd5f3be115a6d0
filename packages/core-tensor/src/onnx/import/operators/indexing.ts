import { normalizeAxis, sizeOf, stridesOf } from '../../../graph/shape.js';
import { add, mul } from '../../../ops/arithmetic.js';
import { less, where } from '../../../ops/compare.js';
import { gather, scatterAddAlongAxis, scatterAddRows, takeAlongAxis } from '../../../ops/indexing.js';
import { pad, reshape, select, slice } from '../../../ops/rearrange.js';
import { ones, type Tensor, tensor, zeros } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';
import { integers } from './shape.js';

/** Indices of an axis counted from its start, where they may count from its end. */
function fromStart(node: NodeContext, indices: Tensor, size: number): Tensor {
  const known = node.knownNumbers(indices);
  if (!known) return where(less(indices, 0), add(indices, size), indices);
  const wrong = known.find((index) => index < -size || index >= size);
  if (wrong !== undefined) throw node.refusal(`indices between ${-size} and ${size - 1}`, String(wrong));
  return tensor(
    Int32Array.from(known, (index) => (index < 0 ? index + size : index)),
    indices.shape,
    'int32',
  );
}

const gatherOf: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const axis = normalizeAxis('Gather', node.int('axis', 0), x.shape);
  const single = indices.shape.length === 0 ? node.knownScalar(indices) : undefined;
  if (single !== undefined) return select(x, axis, single);
  return gather(x, fromStart(node, indices, x.shape[axis]!), { axis });
};

const gatherElements: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const axis = normalizeAxis('GatherElements', node.int('axis', 0), x.shape);
  // Along the other axes there may be fewer indices than elements.
  const part = slice(
    x,
    x.shape.map(() => 0),
    x.shape.map((size, each) => (each === axis ? size : Math.min(size, indices.shape[each] ?? 0))),
  );
  return takeAlongAxis(part, fromStart(node, indices, x.shape[axis]!), axis);
};

/** Places, in a tensor of these leading sizes, that lists of indices name: [..., k] → [...]. */
function flatPlaces(node: NodeContext, indices: Tensor, sizes: readonly number[]): Tensor {
  const strides = stridesOf(sizes);
  const parts = sizes.map((size, axis) => {
    const places = fromStart(node, select(indices, -1, axis), size);
    return mul(places, strides[axis]!);
  });
  return parts.length === 0
    ? zeros(indices.shape.slice(0, -1), 'int32')
    : parts.reduce((total, part) => add(total, part));
}

const gatherNd: Operator = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const batchAxes = node.int('batch_dims', 0);
  const count = indices.shape.at(-1) ?? 0;
  const batch = x.shape.slice(0, batchAxes);
  const sizes = x.shape.slice(batchAxes, batchAxes + count);
  const rest = x.shape.slice(batchAxes + count);
  const batches = sizeOf(batch);
  const perBatch = sizeOf(sizes);
  const lists = reshape(indices, [batches, sizeOf(indices.shape.slice(batchAxes, -1)), count]);
  const places = flatPlaces(node, lists, sizes); // [batches, lists]
  const starts = Array.from({ length: batches }, (_, index) => index * perBatch);
  const offsets =
    places.dtype === 'int64' ? integers(starts, [batches, 1]) : tensor(Int32Array.from(starts), [batches, 1]);
  const rows = reshape(x, [batches * perBatch, ...rest]);
  return reshape(gather(rows, add(places, offsets)), [...indices.shape.slice(0, -1), ...rest]);
};

type Reduction = 'none' | 'add';

/** `none`: x with `sums` where something was written, of which there is one at a place; `add`: x plus `sums`. */
function written(x: Tensor, sums: Tensor, counts: () => Tensor, reduction: Reduction): Tensor {
  return reduction === 'add' ? add(x, sums) : where(less(0, counts()), sums, x);
}

const reductionOf = (node: NodeContext): Reduction => node.word('reduction', ['none', 'add'], 'none');

const scatterElements: Operator = (node) => {
  const [x, indices, updates] = [node.input(0), node.input(1), node.input(2)];
  const axis = normalizeAxis('ScatterElements', node.int('axis', 0), x.shape);
  const size = x.shape[axis]!;
  const places = fromStart(node, indices, size);
  const scatter = (values: Tensor) => {
    const sums = scatterAddAlongAxis(places, values, { axis, size });
    const after = x.shape.map((each, i) => each - sums.shape[i]!);
    return pad(sums, { before: x.shape.map(() => 0), after });
  };
  return written(x, scatter(updates), () => scatter(ones(updates.shape)), reductionOf(node));
};

const scatterNd: Operator = (node) => {
  const [x, indices, updates] = [node.input(0), node.input(1), node.input(2)];
  const count = indices.shape.at(-1) ?? 0;
  const [sizes, rest] = [x.shape.slice(0, count), x.shape.slice(count)];
  const places = reshape(flatPlaces(node, indices, sizes), [-1]); // [lists]
  const lists = places.shape[0]!;
  const scatter = (values: Tensor) =>
    reshape(scatterAddRows(places, reshape(values, [lists, sizeOf(rest)]), sizeOf(sizes)), x.shape);
  return written(x, scatter(updates), () => scatter(ones([lists, sizeOf(rest)])), reductionOf(node));
};

/** Elements that are read from, or written to, places that other tensors name. */
export const indexingOperators = {
  Gather: gatherOf,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
} satisfies Readonly<Record<string, Operator>>;
