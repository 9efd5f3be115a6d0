import { normalizeAxis } from '../graph/shape.js';
import { record, type Tensor } from '../tensor.js';

/** Running sum along an axis, from the front (or, with `reverse`, from the back). */
export function cumsum(x: Tensor, axis: number, { reverse = false } = {}): Tensor {
  return record('cumsum', [x], { axis: normalizeAxis('cumsum', axis, x.shape), reverse });
}
