import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { reshape, transpose } from './rearrange.js';

/** x [batch, tokens, heads · width] → [batch, heads, tokens, width]; heads are contiguous. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || width % heads !== 0) {
    throw new ShapeError({
      operation: 'splitHeads',
      expected: `x [batch, tokens, width] with a width that ${heads} heads divide`,
      received: [x.shape],
    });
  }
  return transpose(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** x [batch, heads, tokens, width] → [batch, tokens, heads · width]. */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = x.shape as [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}
