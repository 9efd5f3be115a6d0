import type { Conv2dAttributes, ConvTranspose2dAttributes } from '../primitives/attributes.js';
import { record, type Tensor } from '../tensor.js';

/** @internal */
export function conv2dPrimitive(x: Tensor, weight: Tensor, attributes: Conv2dAttributes): Tensor {
  return record('conv2d', [x, weight], attributes);
}

/** @internal */
export function convTranspose2dPrimitive(x: Tensor, weight: Tensor, attributes: ConvTranspose2dAttributes): Tensor {
  return record('convTranspose2d', [x, weight], attributes);
}
