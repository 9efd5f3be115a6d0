import { type Shape, sameShape } from '../graph/shape.js';
import { record, type Tensor } from '../tensor.js';
import { reshape } from './rearrange.js';
import { sum } from './reduce.js';

/** x stretched to `shape`: axes are aligned at the end, those of size 1 repeat. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : record('broadcastTo', [x], { shape });
}

/** The transpose of {@link broadcastTo}: x summed over the axes in which it is larger than `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const offset = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < offset || (shape[axis - offset] === 1 && size !== 1) ? [axis] : [],
  );
  return reshape(sum(x, { axes }), shape);
}
