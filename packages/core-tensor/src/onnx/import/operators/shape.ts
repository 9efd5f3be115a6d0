import { broadcastShapes, normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../../../graph/shape.js';
import { broadcastTo } from '../../../ops/broadcast.js';
import { gather } from '../../../ops/indexing.js';
import { concat, pad, reshape, slice, split, transpose } from '../../../ops/rearrange.js';
import { type Tensor, tensor } from '../../../tensor.js';
import type { NodeContext, Operator } from '../node-context.js';

/** Lists of more places are no images or sequences. */
export const longestList = 2 ** 24;

/** A list of integers as ONNX has it, in int64. */
export function integers(values: readonly number[], shape: Shape = [values.length]): Tensor {
  return tensor(BigInt64Array.from(values, BigInt), shape, 'int64');
}

/** Axes that were an attribute before an opset, and are an input since. */
export function axesOf(node: NodeContext, inputSince: number, index = 1): readonly number[] | undefined {
  return node.opset < inputSince ? node.ints('axes') : node.optionalNumbers(index);
}

const shapeOf: Operator = (node) => {
  const { shape } = node.input(0);
  // As slices of lists count: from the end where negative, and never beyond it.
  return integers(shape.slice(node.int('start', 0), node.int('end', shape.length)));
};

const reshapeOf: Operator = (node) => {
  const x = node.input(0);
  const keepsZeros = node.flag('allowzero');
  const wanted = node.numbers(1).map((size, axis) => (size === 0 && !keepsZeros ? (x.shape[axis] ?? 0) : size));
  const rest = sizeOf(wanted.filter((size) => size !== -1));
  const open = rest === 0 ? 0 : x.size / rest;
  return reshape(
    x,
    wanted.map((size) => (size === -1 ? open : size)),
  );
};

const flatten: Operator = (node) => {
  const x = node.input(0);
  const axis = node.int('axis', 1);
  const cut = axis < 0 ? axis + x.shape.length : axis;
  return reshape(x, [sizeOf(x.shape.slice(0, cut)), sizeOf(x.shape.slice(cut))]);
};

const squeeze: Operator = (node) => {
  const x = node.input(0);
  const axes = axesOf(node, 13);
  const dropped = axes
    ? normalizeAxes('Squeeze', axes, x.shape)
    : x.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const wrong = dropped.find((axis) => x.shape[axis] !== 1);
  if (wrong !== undefined) throw node.refusal(`size 1 at axis ${wrong}`, `[${x.shape.join(', ')}]`);
  return reshape(
    x,
    x.shape.filter((_, axis) => !dropped.includes(axis)),
  );
};

const unsqueeze: Operator = (node) => {
  const x = node.input(0);
  const axes = axesOf(node, 13);
  if (!axes) throw node.refusal('axes', 'none');
  const rank = x.shape.length + axes.length;
  const added = normalizeAxes('Unsqueeze', axes, new Array<number>(rank).fill(1));
  const sizes = x.shape[Symbol.iterator]();
  return reshape(
    x,
    Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : sizes.next().value!)),
  );
};

const transposeOf: Operator = (node) => {
  const x = node.input(0);
  const order = node.ints('perm') ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  if (order.length !== x.shape.length) throw node.refusal(`${x.shape.length} axes`, `perm [${order.join(', ')}]`);
  return transpose(x, order);
};

const concatOf: Operator = (node) => concat(node.all(), node.int('axis'));

const splitOf: Operator = (node) => {
  const x = node.input(0);
  const axis = normalizeAxis('Split', node.int('axis', 0), x.shape);
  const size = x.shape[axis]!;
  const given = node.opset < 13 ? node.ints('split') : node.optionalNumbers(1);
  if (given) return split(x, given, axis);
  const parts = node.node.outputs.length;
  const said = node.opset < 18 ? parts : node.int('num_outputs', parts);
  if (said !== parts || parts > Math.max(1, size)) throw node.refusal(`${parts} parts of ${size}`, String(said));
  // The last part is smaller where the size is no multiple.
  const each = Math.ceil(size / parts);
  const sizes = Array.from({ length: parts }, (_, part) => Math.max(0, Math.min(each, size - part * each)));
  return split(x, sizes, axis);
};

const sliceOf: Operator = (node) => {
  const x = node.input(0);
  const [starts, ends] = [node.numbers(1), node.numbers(2)];
  const axes = node.optionalNumbers(3) ?? starts.map((_, index) => index);
  const steps = node.optionalNumbers(4) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length)) {
    throw node.refusal('as many starts as ends, axes and steps', `${starts.length}, ${ends.length}, ${axes.length}`);
  }
  const from = x.shape.map(() => 0);
  const to = [...x.shape];
  const every = x.shape.map(() => 1);
  const reversed: (readonly [axis: number, places: Int32Array])[] = [];
  axes.forEach((given, index) => {
    const axis = normalizeAxis('Slice', given, x.shape);
    const size = x.shape[axis]!;
    const step = steps[index]!;
    if (step === 0) throw node.refusal('steps other than 0', '0');
    const within = (place: number, least: number, most: number) =>
      Math.min(Math.max(place < 0 ? place + size : place, least), most);
    if (step > 0) {
      from[axis] = within(starts[index]!, 0, size);
      to[axis] = Math.max(from[axis], within(ends[index]!, 0, size));
      every[axis] = Math.min(step, Math.max(1, size));
    } else {
      const first = within(starts[index]!, -1, size - 1);
      const last = within(ends[index]!, -1, size - 1);
      const count = Math.max(0, Math.ceil((last - first) / step));
      reversed.push([axis, Int32Array.from({ length: count }, (_, place) => first + place * step)]);
    }
  });
  return reversed.reduce((part, [axis, places]) => gather(part, places, { axis }), slice(x, from, to, every));
};

const expand: Operator = (node) => {
  const x = node.input(0);
  return broadcastTo(x, broadcastShapes('Expand', x.shape, node.numbers(1)));
};

const tileOf: Operator = (node) => {
  const x = node.input(0);
  const counts = node.numbers(1);
  if (counts.length !== x.shape.length) throw node.refusal(`${x.shape.length} repeats`, String(counts.length));
  const apart = x.shape.flatMap((size) => [1, size]);
  const spread = x.shape.flatMap((size, axis) => [counts[axis]!, size]);
  return reshape(
    broadcastTo(reshape(x, apart), spread),
    x.shape.map((size, axis) => size * counts[axis]!),
  );
};

/** Which element stands at each place of an axis after padding. */
const places = {
  edge: (place: number, size: number) => Math.min(Math.max(place, 0), size - 1),
  reflect: (place: number, size: number) => {
    const period = Math.max(1, 2 * (size - 1));
    const within = ((place % period) + period) % period;
    return within < size ? within : period - within;
  },
  wrap: (place: number, size: number) => ((place % size) + size) % size,
};

const padOf: Operator = (node) => {
  const x = node.input(0);
  const mode = node.word('mode', ['constant', 'reflect', 'edge', 'wrap'], 'constant');
  const amounts = node.numbers(1);
  const value = node.optional(2);
  const axes = node.optionalNumbers(3) ?? x.shape.map((_, axis) => axis);
  if (amounts.length !== 2 * axes.length) throw node.refusal(`${2 * axes.length} pads`, String(amounts.length));
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((given, index) => {
    const axis = normalizeAxis('Pad', given, x.shape);
    before[axis] = amounts[index]!;
    after[axis] = amounts[axes.length + index]!;
  });
  if (mode !== 'constant') {
    return x.shape.reduce((padded, size, axis) => {
      if (before[axis] === 0 && after[axis] === 0) return padded;
      const length = before[axis]! + size + after[axis]!;
      if (length > 0 && size === 0) throw node.refusal('elements to repeat', `[${x.shape.join(', ')}]`);
      if (length > longestList) throw node.refusal(`at most ${longestList} elements along an axis`, String(length));
      const order = Int32Array.from({ length }, (_, place) => places[mode](place - before[axis]!, size));
      return gather(padded, order, { axis });
    }, x);
  }
  // Negative amounts cut.
  const kept = slice(
    x,
    before.map((amount) => Math.max(0, -amount)),
    x.shape.map((size, axis) => Math.max(0, size + Math.min(0, after[axis]!))),
  );
  const positive = (list: readonly number[]) => list.map((amount) => Math.max(0, amount));
  const filling = value === undefined ? 0 : node.knownScalar(value);
  if (filling === undefined) throw node.refusal('a value that is known while recording', 'one that is computed');
  return pad(kept, { before: positive(before), after: positive(after), value: filling });
};

const blocks = (node: NodeContext) => {
  const x = node.input(0);
  const size = node.int('blocksize');
  if (x.shape.length !== 4) throw node.refusal('x [batch, channels, height, width]', `[${x.shape.join(', ')}]`);
  return { x, size, shape: x.shape as readonly [number, number, number, number] };
};

const depthToSpace: Operator = (node) => {
  const { x, size, shape } = blocks(node);
  const [batch, channels, height, width] = shape;
  const depth = channels / size ** 2;
  const isDepthFirst = node.word('mode', ['DCR', 'CRD'], 'DCR') === 'DCR';
  const apart = isDepthFirst ? [batch, size, size, depth, height, width] : [batch, depth, size, size, height, width];
  const order = isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return reshape(transpose(reshape(x, apart), order), [batch, depth, height * size, width * size]);
};

const spaceToDepth: Operator = (node) => {
  const { x, size, shape } = blocks(node);
  const [batch, channels, height, width] = shape;
  const apart = reshape(x, [batch, channels, height / size, size, width / size, size]);
  return reshape(transpose(apart, [0, 3, 5, 1, 2, 4]), [batch, channels * size ** 2, height / size, width / size]);
};

/** Shapes, and the order of elements. */
export const shapeOperators = {
  Shape: shapeOf,
  Size: (node) => integers([node.input(0).size], []),
  Reshape: reshapeOf,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transposeOf,
  Concat: concatOf,
  Split: splitOf,
  Slice: sliceOf,
  Expand: expand,
  Tile: tileOf,
  Pad: padOf,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
} satisfies Readonly<Record<string, Operator>>;
