import { ShapeError } from '../errors.js';

/** How many inputs reach one output of a weight, and how many outputs one input reaches. */
export interface Fan {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * Fans of a linear weight [out, in] or a convolution weight [out, in, …kernel]: the size of the axis times that of
 * the kernel.
 *
 * Source: `torch.nn.init._calculate_fan_in_and_fan_out`.
 *
 * @throws ShapeError where the weight has fewer than two axes
 */
export function fanOf(operation: string, shape: readonly number[]): Fan {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError({
      operation,
      expected: 'a weight [out, in, …kernel] of at least two axes',
      received: [shape],
      remedy: 'Use uniform, normal or zeros for vectors.',
    });
  }
  const receptive = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * receptive, fanOut: outputs * receptive };
}
