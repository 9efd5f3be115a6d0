import type { DType } from '../dtype.js';
import type { Shape } from '../graph/shape.js';
import { Tensor } from '../tensor.js';

/**
 * A tensor of which only shape and dtype are known, for questions that need no data: what a model makes of an image of
 * some size, what it costs. Asking for its values is an error.
 */
export function placeholder(shape: Shape, dtype: DType = 'float32'): Tensor {
  return new Tensor(shape, dtype, { kind: 'input' });
}
