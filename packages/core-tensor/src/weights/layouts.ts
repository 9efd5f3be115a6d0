import { formatShape, ShapeError } from '../errors.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { FloatTensor, WeightLayout } from './key-map.js';

/**
 * Several parameters one below the other along the first axis, in order: [r₁ + r₂ + …, …rest] ↔ [r₁, …rest],
 * [r₂, …rest], …; for example the packed query, key and value projections.
 */
export const stackedRows: WeightLayout = {
  shape(parameters) {
    const [first] = parameters;
    const rest = first?.slice(1) ?? [];
    if (parameters.some((shape) => shape.length === 0 || shape.slice(1).join() !== rest.join())) {
      throw new ShapeError({
        operation: 'stackedRows',
        expected: 'parameters [rows, …rest] that agree in all but their rows',
        received: parameters,
      });
    }
    return [parameters.reduce((rows, shape) => rows + shape[0]!, 0), ...rest];
  },
  read({ data }, parameters) {
    let start = 0;
    return parameters.map((shape) => {
      const end = start + sizeOf(shape);
      const part = { shape, data: data.subarray(start, end) };
      start = end;
      return part;
    });
  },
  write(parts) {
    const shape = stackedRows.shape(parts.map((part) => part.shape));
    const data = new Float32Array(sizeOf(shape));
    let start = 0;
    for (const part of parts) {
      data.set(part.data, start);
      start += part.data.length;
    }
    return { shape, data };
  },
};

/** {@link stackedRows} of `count` parameters with equally many rows: [count·rows, …rest] ↔ count × [rows, …rest]. */
export function evenRows(count: number): WeightLayout {
  const require = (shapes: readonly Shape[]) => {
    if (shapes.length !== count || shapes.some((shape) => shape.join() !== shapes[0]!.join())) {
      throw new ShapeError({ operation: 'evenRows', expected: `${count} parameters of one shape`, received: shapes });
    }
  };
  return {
    shape(parameters) {
      require(parameters);
      return stackedRows.shape(parameters);
    },
    read: stackedRows.read,
    write(parts) {
      require(parts.map((part) => part.shape));
      return stackedRows.write(parts);
    },
  };
}

/** A matrix stored with its axes exchanged, as x·W has it: [columns, rows] ↔ [rows, columns]. */
export const transposed: WeightLayout = {
  shape: ([shape]) => exchanged(shape!),
  read: (stored) => [exchange(stored)],
  write: ([part]) => exchange(part!),
};

function exchanged(shape: Shape): Shape {
  const [rows, columns] = shape;
  if (shape.length !== 2) {
    throw new ShapeError({ operation: 'transposed', expected: 'a parameter [rows, columns]', received: [shape] });
  }
  return [columns!, rows!];
}

/** Rows that are exchanged at a time: their elements stay in the cache while columns are gone through. */
const blockSize = 32;

function exchange({ shape, data }: FloatTensor): FloatTensor {
  const [columns, rows] = exchanged(shape) as readonly [number, number];
  const result = new Float32Array(data.length);
  for (let first = 0; first < rows; first += blockSize) {
    const last = Math.min(rows, first + blockSize);
    for (let column = 0; column < columns; column++) {
      for (let row = first; row < last; row++) result[column * rows + row] = data[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], data: result };
}

/**
 * The same elements under another shape.
 *
 * @param stored shape of the stored tensor, or that shape for a parameter's: `(shape) => [1, ...shape]`
 */
export function reshaped(stored: Shape | ((parameter: Shape) => Shape)): WeightLayout {
  const storedShape = (parameter: Shape): Shape => {
    const shape = typeof stored === 'function' ? stored(parameter) : stored;
    if (sizeOf(shape) !== sizeOf(parameter)) {
      throw new ShapeError({
        operation: 'reshaped',
        expected: `a stored shape of as many elements as ${formatShape(parameter)}`,
        received: [shape],
      });
    }
    return shape;
  };
  return {
    shape: ([parameter]) => storedShape(parameter!),
    read: ({ data }, [shape]) => [{ shape: shape!, data }],
    write: ([part]) => ({ shape: storedShape(part!.shape), data: part!.data }),
  };
}
