import { type Shape, sizeOf } from '../../graph/shape.js';
import type { Tfjs, TfjsTensor } from './lowering.js';

// Backends limit the number of axes, each in its own way and operation by operation. All work is therefore done on
// views of few axes: neighbouring axes that an operation treats alike are merged.

/** Shapes of inputs and result with neighbours merged that stretch in the same inputs, and axes of size 1 left out. */
export function mergeBroadcast(inputs: readonly Shape[], result: Shape): { inputs: number[][]; result: number[] } {
  const merged = { inputs: inputs.map((): number[] => []), result: [] as number[] };
  let previous = '';
  result.forEach((size, axis) => {
    if (size === 1) return;
    const sizes = inputs.map((shape) => shape[axis - (result.length - shape.length)] ?? 1);
    const pattern = sizes.map((each) => (each === 1 ? '1' : 'n')).join('');
    if (pattern === previous) {
      const last = merged.result.length - 1;
      merged.result[last]! *= size;
      sizes.forEach((each, i) => {
        merged.inputs[i]![last]! *= each;
      });
    } else {
      merged.result.push(size);
      sizes.forEach((each, i) => {
        merged.inputs[i]!.push(each);
      });
    }
    previous = pattern;
  });
  return merged;
}

/** x stretched to a shape. */
export function stretch(tf: Tfjs, x: TfjsTensor, shape: Shape): TfjsTensor {
  if (x.size === sizeOf(shape)) return tf.reshape(x, [...shape]);
  const { inputs, result } = mergeBroadcast([x.shape], shape);
  const repetitions = result.map((size, axis) => (inputs[0]![axis] === 1 ? size : 1));
  return tf.reshape(tf.tile(tf.reshape(x, inputs[0]!), repetitions), [...shape]);
}

/** x as [outer, size, inner] about an axis. */
export function aroundAxis(tf: Tfjs, x: TfjsTensor, axis: number): TfjsTensor {
  return tf.reshape(x, [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))]);
}

/** Applies a function of rows [rows, size] to the lines along an axis. The result keeps x's shape. */
export function onRows(tf: Tfjs, x: TfjsTensor, axis: number, fn: (rows: TfjsTensor) => TfjsTensor): TfjsTensor {
  const view = aroundAxis(tf, x, axis);
  const [outer, size, inner] = view.shape as [number, number, number];
  if (inner === 1) return tf.reshape(fn(tf.reshape(view, [outer, size])), x.shape);
  const lines = tf.transpose(view, [0, 2, 1]); // [outer, inner, size]
  const result = tf.reshape(fn(tf.reshape(lines, [outer * inner, size])), [outer, inner, size]);
  return tf.reshape(tf.transpose(result, [0, 2, 1]), x.shape);
}

/** Axes of this number or fewer are exchanged in one step. */
const directRank = 4;

/** x with its axes in another order. */
export function permute(tf: Tfjs, x: TfjsTensor, permutation: readonly number[]): TfjsTensor {
  const shape = permutation.map((axis) => x.shape[axis]!);
  const axes = permutation.filter((axis) => x.shape[axis] !== 1);
  // Runs of axes that stay neighbours, in the order of the result.
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs.at(-1);
    const isNext = last && x.shape.slice(last.at(-1)! + 1, axis).every((size) => size === 1) && axis > last.at(-1)!;
    if (isNext) last.push(axis);
    else runs.push([axis]);
  }
  const before = [...runs].sort((a, b) => a[0]! - b[0]!);
  const sizes = before.map((run) => sizeOf(run.map((axis) => x.shape[axis]!)));
  const order = runs.map((run) => before.indexOf(run));
  const view = tf.reshape(x, sizes);
  const result = order.length <= directRank ? tf.transpose(view, order) : permuteStepwise(tf, view, order);
  return tf.reshape(result, shape);
}

/** Brings one axis after the other to its place. */
function permuteStepwise(tf: Tfjs, x: TfjsTensor, order: readonly number[]): TfjsTensor {
  const current = order.map((_, axis) => axis);
  const size = (axes: readonly number[]) => sizeOf(axes.map((axis) => x.shape[axis]!));
  let result = x;
  order.forEach((axis, place) => {
    const at = current.indexOf(axis);
    if (at === place) return;
    const view = [
      size(current.slice(0, place)),
      size(current.slice(place, at)),
      x.shape[axis]!,
      size(current.slice(at + 1)),
    ];
    result = tf.transpose(tf.reshape(result, view), [0, 2, 1, 3]);
    current.splice(at, 1);
    current.splice(place, 0, axis);
  });
  return result;
}
