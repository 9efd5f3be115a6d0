import type { Shape } from '../../graph/shape.js';
import { movingBools, type Tfjs, type TfjsLowerings, type TfjsTensor } from './lowering.js';
import { aroundAxis, permute, stretch } from './views.js';

/** Elements start, start + step, … of one axis, `count` of them. */
export function sliceAxis(tf: Tfjs, x: TfjsTensor, axis: number, start: number, count: number, step = 1): TfjsTensor {
  if (start === 0 && count === x.shape[axis] && step === 1) return x;
  const view = aroundAxis(tf, x, axis);
  const [outer, , inner] = view.shape as [number, number, number];
  // The wasm backend reads integers as floats in strided slices.
  const part =
    step === 1
      ? tf.slice(view, [0, start, 0], [outer, count, inner])
      : tf.gather(
          view,
          tf.tensor1d(
            Int32Array.from({ length: count }, (_, i) => start + i * step),
            'int32',
          ),
          1,
        );
  return tf.reshape(part, replaced(x.shape, axis, count));
}

/** A border of one axis. */
export function padAxis(
  tf: Tfjs,
  x: TfjsTensor,
  axis: number,
  [before, after]: readonly [number, number],
  value = 0,
): TfjsTensor {
  if (before === 0 && after === 0) return x;
  const padded = tf.pad(
    aroundAxis(tf, x, axis),
    [
      [0, 0],
      [before, after],
      [0, 0],
    ],
    value,
  );
  return tf.reshape(padded, replaced(x.shape, axis, before + x.shape[axis]! + after));
}

/** Puts `step` − 1 zeros between neighbours along an axis. */
export function spreadAxis(tf: Tfjs, x: TfjsTensor, axis: number, step: number): TfjsTensor {
  if (step === 1) return x;
  const size = x.shape[axis]!;
  const apart = tf.reshape(x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]);
  const filled = tf.reshape(padAxis(tf, apart, axis + 1, [0, step - 1]), replaced(x.shape, axis, size * step));
  return sliceAxis(tf, filled, axis, 0, (size - 1) * step + 1);
}

function replaced(shape: Shape, axis: number, size: number): number[] {
  return shape.map((each, i) => (i === axis ? size : each));
}

export const rearrangementLowerings = {
  reshape: (tf, { shape }, [x]) => tf.reshape(x!, [...shape]),
  transpose: (tf, { attributes: { permutation } }, [x]) => movingBools(tf, [x!], (y) => permute(tf, y!, permutation)),
  broadcastTo: (tf, { shape }, [x]) => movingBools(tf, [x!], (y) => stretch(tf, y!, shape)),
  slice: (tf, { shape, attributes: { starts, steps } }, [x]) =>
    movingBools(tf, [x!], (y) =>
      starts.reduce((part, start, axis) => sliceAxis(tf, part, axis, start, shape[axis]!, steps[axis]!), y!),
    ),
  pad: (tf, { shape, attributes: { before, after, value } }, [x]) =>
    movingBools(tf, [x!], (y) =>
      y!.size === 0
        ? tf.fill([...shape], value, y!.dtype as 'float32')
        : before.reduce((padded, amount, axis) => padAxis(tf, padded, axis, [amount, after[axis]!], value), y!),
    ),
  concat: (tf, { shape, attributes: { axis } }, inputs) =>
    movingBools(tf, inputs, (...parts) => {
      const views = parts.filter(({ size }) => size > 0).map((part) => aroundAxis(tf, part, axis));
      return tf.reshape(tf.concat(views, 1), [...shape]);
    }),
} satisfies Partial<TfjsLowerings>;
