import { notEqual, type Tensor } from '@ocelli/core-tensor';

/** Where a mask of any dtype is not zero, bool. */
export function isSeen(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? mask : notEqual(mask, 0);
}
