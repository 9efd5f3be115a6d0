import { record, type Tensor } from '../tensor.js';

/** x as a constant: no gradient passes. */
export function stopGradient(x: Tensor): Tensor {
  return record('stopGradient', [x], {});
}
