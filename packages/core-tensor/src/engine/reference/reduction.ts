import { type Shape, sizeOf } from '../../graph/shape.js';
import { broadcastPlaces, forEachLine } from './layout.js';
import type { ReferenceLowerings, ReferenceValue } from './value.js';

/** Combines all elements that fall together when `axes` are reduced. */
function reduce(
  { data, shape }: ReferenceValue,
  axes: readonly number[],
  initial: number,
  combine: (a: number, b: number) => number,
): Float64Array {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const result = new Float64Array(sizeOf(kept)).fill(initial);
  const places = broadcastPlaces(kept, shape);
  for (let i = 0; i < data.length; i++) result[places[i]!] = combine(result[places[i]!]!, data[i]!);
  return result;
}

/** A result of the input's shape, computed line by line. */
function alongAxis(
  { data, shape }: ReferenceValue,
  axis: number,
  fn: (line: Float64Array) => Float64Array,
): Float64Array {
  const result = new Float64Array(data.length);
  const line = new Float64Array(shape[axis]!);
  forEachLine(shape, axis, (first, step) => {
    for (let i = 0; i < line.length; i++) line[i] = data[first + i * step]!;
    fn(line).forEach((value, i) => {
      result[first + i * step] = value;
    });
  });
  return result;
}

function softmax(line: Float64Array): Float64Array {
  const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = line.map((x) => Math.exp(x - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((x) => x / total);
}

function logSoftmax(line: Float64Array): Float64Array {
  const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = line.reduce((sum, x) => sum + Math.exp(x - largest), 0);
  return line.map((x) => x - largest - Math.log(total));
}

function mean(line: Float64Array, of: (x: number) => number): number {
  return line.reduce((sum, x) => sum + of(x), 0) / line.length;
}

/** Larger values first, NaN before all, the first of equals first. */
function descending(line: Float64Array): number[] {
  const rank = (x: number) => (Number.isNaN(x) ? Infinity : x);
  return Array.from(line, (_, i) => i).sort((i, j) => {
    const [a, b] = [line[i]!, line[j]!];
    return rank(b) === rank(a) ? Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || i - j : rank(b) - rank(a);
  });
}

/** Indices of each line's elements, ordered by `order`, the first `count` of them. */
function selected(
  { data, shape }: ReferenceValue,
  axis: number,
  count: number,
  order: (line: Float64Array) => number[],
): Float64Array {
  const size = shape[axis]!;
  const outer: Shape = shape.slice(0, axis);
  const inner = sizeOf(shape.slice(axis + 1));
  const result = new Float64Array(sizeOf(outer) * count * inner);
  forEachLine(shape, axis, (first, step, line) => {
    const values = Float64Array.from({ length: size }, (_, i) => data[first + i * step]!);
    const chosen = order(values);
    const start = Math.floor(line / inner) * count * inner + (line % inner);
    for (let i = 0; i < count; i++) result[start + i * inner] = chosen[i]!;
  });
  return result;
}

export const reductionLowerings = {
  reduceSum: ({ attributes: { axes }, dtype }, [x]) =>
    reduce(x!, axes, 0, dtype === 'bool' ? Math.max : (a, b) => a + b),
  reduceMax: ({ attributes: { axes } }, [x]) => reduce(x!, axes, -Infinity, Math.max),
  argMax: ({ attributes: { axis } }, [x]) => selected(x!, axis, 1, descending),
  topKIndices: ({ attributes: { count, largest } }, [x]) =>
    selected(x!, x!.shape.length - 1, count, (line) => descending(largest ? line : line.map((value) => -value))),
  cumsum: ({ attributes: { axis, reverse } }, [x]) =>
    alongAxis(x!, axis, (line) => {
      const result = new Float64Array(line.length);
      let total = 0;
      for (let i = 0; i < line.length; i++) {
        const place = reverse ? line.length - 1 - i : i;
        total += line[place]!;
        result[place] = total;
      }
      return result;
    }),
  softmax: ({ attributes: { axis } }, [x]) => alongAxis(x!, axis, softmax),
  logSoftmax: ({ attributes: { axis } }, [x]) => alongAxis(x!, axis, logSoftmax),
  layerNorm: ({ attributes: { epsilon } }, [x, weight, bias]) =>
    alongAxis(x!, x!.shape.length - 1, (line) => {
      const centre = mean(line, (value) => value);
      const spread = Math.sqrt(mean(line, (value) => (value - centre) ** 2) + epsilon);
      return line.map((value, i) => ((value - centre) / spread) * weight!.data[i]! + bias!.data[i]!);
    }),
  rmsNorm: ({ attributes: { epsilon } }, [x, weight]) =>
    alongAxis(x!, x!.shape.length - 1, (line) => {
      const length = Math.sqrt(mean(line, (value) => value * value) + epsilon);
      return line.map((value, i) => (value / length) * weight!.data[i]!);
    }),
} satisfies Partial<ReferenceLowerings>;
