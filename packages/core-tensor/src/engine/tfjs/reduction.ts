import { type Shape, sizeOf } from '../../graph/shape.js';
import { movingBools, negate, type Tfjs, type TfjsLowerings, type TfjsTensor } from './lowering.js';
import { onRows, permute } from './views.js';

/** Applies a reduction of rows [kept, reduced] → [kept]. */
function reduceRows(
  tf: Tfjs,
  x: TfjsTensor,
  axes: readonly number[],
  shape: Shape,
  fn: (rows: TfjsTensor) => TfjsTensor,
): TfjsTensor {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const last = permute(tf, x, [...kept, ...axes]);
  const reduced = sizeOf(axes.map((axis) => x.shape[axis]!));
  return tf.reshape(fn(tf.reshape(last, [x.size / reduced, reduced])), [...shape]);
}

export const reductionLowerings = {
  reduceSum: (tf, { shape, attributes: { axes } }, [x]) => {
    if (x!.size === 0) return tf.zeros([...shape], x!.dtype as 'float32');
    return movingBools(tf, [x!], (y) => reduceRows(tf, y!, axes, shape, (rows) => tf.sum(rows, 1)));
  },
  reduceMax: (tf, { shape, attributes: { axes } }, [x]) =>
    movingBools(tf, [x!], (y) => reduceRows(tf, y!, axes, shape, (rows) => tf.max(rows, 1))),
  argMax: (tf, { shape, attributes: { axis } }, [x]) => {
    const numbers = x!.dtype === 'bool' ? tf.cast(x!, 'int32') : x!;
    return reduceRows(tf, numbers, [axis], shape, (rows) => tf.argMax(rows, 1));
  },
  topKIndices: (tf, { shape, attributes: { count, largest } }, [x]) => {
    const numbers = x!.dtype === 'bool' ? tf.cast(x!, 'int32') : x!;
    const size = x!.shape.at(-1)!;
    const rows = tf.reshape(numbers, [x!.size / size, size]);
    return tf.reshape(tf.topk(largest ? rows : negate(tf, rows), count, true).indices, [...shape]);
  },
  cumsum: (tf, { attributes: { axis, reverse } }, [x]) =>
    movingBools(tf, [x!], (y) => onRows(tf, y!, axis, (rows) => tf.cumsum(rows, 1, false, reverse))),
  softmax: (tf, { attributes: { axis } }, [x]) => onRows(tf, x!, axis, (rows) => tf.softmax(rows)),
  logSoftmax: (tf, { attributes: { axis } }, [x]) => onRows(tf, x!, axis, (rows) => tf.logSoftmax(rows)),
  layerNorm: (tf, { attributes: { epsilon } }, [x, weight, bias]) =>
    onRows(tf, x!, x!.shape.length - 1, (rows) => {
      const centred = tf.sub(rows, tf.mean(rows, 1, true));
      const spread = tf.sqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon)); // [rows, 1]
      return tf.add(tf.mul(tf.div(centred, spread), weight!), bias!);
    }),
  rmsNorm: (tf, { attributes: { epsilon } }, [x, weight]) =>
    onRows(tf, x!, x!.shape.length - 1, (rows) => {
      const length = tf.sqrt(tf.add(tf.mean(tf.square(rows), 1, true), epsilon)); // [rows, 1]
      return tf.mul(tf.div(rows, length), weight!);
    }),
} satisfies Partial<TfjsLowerings>;
