import type { DType } from '../dtype.js';
import { record, type Tensor } from '../tensor.js';

/** x in another dtype; floats become integers by dropping the fraction. The gradient is cast back. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : record('cast', [x], { dtype });
}
