import { sizeOf } from '../../graph/shape.js';
import { requireIndexRange, requireSliceRange } from '../integer-checks.js';
import { movingBools, type Tfjs, type TfjsLowerings, type TfjsTensor } from './lowering.js';
import { aroundAxis } from './views.js';

/** Indices as the host sees them, checked: backends differ in what they do with an index out of range. */
function checked(operation: string, indices: TfjsTensor, size: number): Int32Array {
  const values = indices.dataSync<'int32'>() as Int32Array;
  requireIndexRange(`tfjs engine: ${operation}`, values, size);
  return values;
}

/** Place in x [..., size, ...] of each element of an index tensor that is equal to it on all other axes. */
function alongPlaces(operation: string, indices: TfjsTensor, axis: number, size: number): Int32Array {
  const count = indices.shape[axis]!;
  const inner = sizeOf(indices.shape.slice(axis + 1));
  return checked(operation, indices, size).map((index, i) => {
    const outer = Math.floor(i / (count * inner));
    return (outer * size + index) * inner + (i % inner);
  });
}

/** Rows [rows, width] of zeros to which updates [n, width] are added. */
function scatterAdd(tf: Tfjs, places: Int32Array, updates: TfjsTensor, rows: number): TfjsTensor {
  const width = updates.size / places.length;
  return tf.scatterND(tf.tensor2d(places, [places.length, 1], 'int32'), tf.reshape(updates, [places.length, width]), [
    rows,
    width,
  ]);
}

export const indexingLowerings = {
  gather: (tf, { shape, attributes: { axis } }, [x, indices]) => {
    const places = tf.tensor1d(checked('gather', indices!, x!.shape[axis]!), 'int32');
    return movingBools(tf, [x!], (y) => tf.reshape(tf.gather(aroundAxis(tf, y!, axis), places, 1), [...shape]));
  },
  scatterAddRows: (tf, { shape, attributes: { rows } }, [indices, updates]) =>
    movingBools(tf, [updates!], (values) => {
      if (values!.size === 0) return tf.zeros([...shape], values!.dtype as 'float32');
      return tf.reshape(scatterAdd(tf, checked('scatterAddRows', indices!, rows), values!, rows), [...shape]);
    }),
  takeAlongAxis: (tf, { shape, attributes: { axis } }, [x, indices]) => {
    const places = tf.tensor1d(alongPlaces('takeAlongAxis', indices!, axis, x!.shape[axis]!), 'int32');
    return movingBools(tf, [x!], (y) => tf.reshape(tf.gather(tf.reshape(y!, [y!.size]), places), [...shape]));
  },
  scatterAddAlongAxis: (tf, { shape, attributes: { axis, size } }, [indices, updates]) =>
    movingBools(tf, [updates!], (values) => {
      if (values!.size === 0) return tf.zeros([...shape], values!.dtype as 'float32');
      const places = alongPlaces('scatterAddAlongAxis', indices!, axis, size);
      return tf.reshape(scatterAdd(tf, places, values!, sizeOf(shape)), [...shape]);
    }),
  updateSlice: (tf, { shape, attributes: { axis } }, [x, update, start]) => {
    const size = shape[axis]!;
    const count = update!.shape[axis]!;
    const first = Number(start!.dataSync()[0]);
    requireSliceRange('tfjs engine: updateSlice', first, count, size);
    return movingBools(tf, [x!, update!], (whole, part) => {
      const view = aroundAxis(tf, whole!, axis);
      const rows = aroundAxis(tf, part!, axis);
      const [outer, , inner] = view.shape as [number, number, number];
      const before = tf.slice(view, [0, 0, 0], [outer, first, inner]);
      const after = tf.slice(view, [0, first + count, 0], [outer, size - first - count, inner]);
      const pieces = [before, rows, after].filter((piece) => piece.size > 0);
      return tf.reshape(pieces.length === 1 ? pieces[0]! : tf.concat(pieces, 1), [...shape]);
    });
  },
} satisfies Partial<TfjsLowerings>;
