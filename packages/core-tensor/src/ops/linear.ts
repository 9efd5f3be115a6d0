import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { add } from './arithmetic.js';
import { matmul } from './matmul.js';
import { reshape } from './rearrange.js';

/**
 * y = x·Wᵀ + b. x [..., inputs], weight [outputs, inputs], bias [outputs] → [..., outputs].
 *
 * @throws ShapeError if the widths differ.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, inputs] = weight.shape as [number, number];
  if (weight.shape.length !== 2 || x.shape.at(-1) !== inputs) {
    throw new ShapeError({
      operation: 'linear',
      expected: 'x [..., inputs] and weight [outputs, inputs]',
      received: [x.shape, weight.shape],
      remedy: "Check the layer's width.",
    });
  }
  const rows = reshape(x, [-1, inputs]); // one product for all leading axes
  const y = matmul(rows, weight, { transposeB: true });
  return reshape(bias ? add(y, bias) : y, [...x.shape.slice(0, -1), outputs]);
}
