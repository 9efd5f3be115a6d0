import { ShapeError } from '../errors.js';

/** Sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * Shape of an elementwise operation on tensors of these shapes (Array API broadcasting): axes are aligned at the end,
 * and an axis of size 1 stretches.
 *
 * @throws ShapeError if two sizes differ and neither is 1.
 */
export function broadcastShapes(operation: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const size = shape[axis]!;
      const current = result[offset + axis]!;
      if (size !== 1 && current !== 1 && size !== current) {
        throw new ShapeError({
          operation,
          expected: 'shapes that agree, counted from the last axis, wherever neither size is 1',
          received: shapes,
          remedy: 'Insert axes of size 1 with reshape, or transpose one of them.',
        });
      }
      if (size !== 1) result[offset + axis] = size;
    }
  }
  return result;
}

/** A possibly negative axis as an index from the front. */
export function normalizeAxis(operation: string, axis: number, shape: Shape): number {
  const index = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(index) || index < 0 || index >= shape.length) {
    throw new ShapeError({
      operation,
      expected: `an axis between ${-shape.length} and ${shape.length - 1}, received axis ${axis}`,
      received: [shape],
    });
  }
  return index;
}

/** Axes (all of them if left out) as distinct indices from the front, in increasing order. */
export function normalizeAxes(operation: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : axes).map((axis) => normalizeAxis(operation, axis, shape));
  const distinct = [...new Set(list)].sort((a, b) => a - b);
  if (distinct.length !== list.length) {
    throw new ShapeError({
      operation,
      expected: `each axis once, received axes [${list.join(', ')}]`,
      received: [shape],
    });
  }
  return distinct;
}
