import { record, type Tensor } from '../tensor.js';

/** x as a constant: no gradient passes. */
export function stopGradient(x: Tensor): Tensor {
  return record('stopGradient', [x], {});
}

/** @internal x, not computed before `others` are, and not known before: what is computed from it is no constant. */
export function barrier(x: Tensor, ...others: readonly Tensor[]): Tensor {
  return record('barrier', [x, ...others], {});
}
