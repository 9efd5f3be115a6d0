import { cast, expandDims, mul, ShapeError, sub, type Tensor } from '@ocelli/core-tensor';

/** Low enough to vanish in a softmax, finite so that a row in which all keys are masked is no NaN. */
const masked = -1e9;

/**
 * What blocks add to their scores for a mask of 1 (see) and 0 (do not): 0 and a large negative number.
 * mask [batch, keys] → [batch, 1, 1, keys]; or, where every query has its own, [batch, queries, keys] →
 * [batch, 1, queries, keys]. Of any dtype.
 *
 * @throws ShapeError for another number of axes
 */
export function extendedAttentionMask(mask: Tensor): Tensor {
  const axes = mask.shape.length;
  if (axes !== 2 && axes !== 3) {
    throw new ShapeError({
      operation: 'extendedAttentionMask',
      expected: 'a mask [batch, keys] or [batch, queries, keys]',
      received: [mask.shape],
    });
  }
  const wide = axes === 2 ? expandDims(mask, 1) : mask; // [batch, 1 or queries, keys]
  return mul(sub(1, cast(expandDims(wide, 1), 'float32')), masked); // [batch, 1, 1 or queries, keys]
}
