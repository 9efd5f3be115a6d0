import { type Shape, sizeOf, stridesOf } from '../../graph/shape.js';

/**
 * Place in memory of each element of a strided view, in row-major order of the view. Every rearrangement is a copy
 * from or to such places.
 */
export function placesOf(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let places = Int32Array.of(start);
  shape.forEach((size, axis) => {
    const next = new Int32Array(places.length * size);
    for (let i = 0; i < places.length; i++) {
      for (let j = 0; j < size; j++) next[i * size + j] = places[i]! + j * strides[axis]!;
    }
    places = next;
  });
  return places;
}

/** Strides under which a tensor of shape `from` reads as one of shape `to`: 0 along axes that stretch. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const offset = to.length - from.length;
  return to.map((_, axis) => (axis < offset || from[axis - offset] === 1 ? 0 : strides[axis - offset]!));
}

/** For each element of `to`, the element of `from` it is stretched from. */
export function broadcastPlaces(from: Shape, to: Shape): Int32Array {
  return placesOf(to, broadcastStrides(from, to));
}

/** Elements at the given places. */
export function pick(data: Float64Array, places: Int32Array): Float64Array {
  const picked = new Float64Array(places.length);
  for (let i = 0; i < picked.length; i++) picked[i] = data[places[i]!]!;
  return picked;
}

/** The axes of a tensor in three groups: sizes before an axis, of it, and after it. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Calls `visit` for each line along an axis; its elements are at first, first + step, … */
export function forEachLine(
  shape: Shape,
  axis: number,
  visit: (first: number, step: number, line: number) => void,
): void {
  const { outer, size, inner } = aroundAxis(shape, axis);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) visit(i * size * inner + j, inner, i * inner + j);
  }
}
