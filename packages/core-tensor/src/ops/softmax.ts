import { normalizeAxis } from '../graph/shape.js';
import { record, type Tensor } from '../tensor.js';

/** eˣ / Σ eˣ along an axis. A row of −∞ and others gives exact zeros there; a row of −∞ alone is NaN. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return record('softmax', [x], { axis: normalizeAxis('softmax', axis, x.shape) });
}

/** x − ln Σ eˣ along an axis. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return record('logSoftmax', [x], { axis: normalizeAxis('logSoftmax', axis, x.shape) });
}
