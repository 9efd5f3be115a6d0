import { type Tensor, tensor } from '../tensor.js';
import { matmul } from './matmul.js';
import { reshape } from './rearrange.js';

/** A linear map of one axis: row i holds the weights of output i over all inputs; [outputs, inputs]. */
export interface AxisMap {
  readonly outputs: number;
  readonly inputs: number;
  readonly weights: Float32Array;
}

/** Builds an {@link AxisMap} from the weight of each input in each output. */
export function axisMap(
  outputs: number,
  inputs: number,
  fill: (add: (output: number, input: number, weight: number) => void) => void,
): AxisMap {
  const weights = new Float32Array(outputs * inputs);
  fill((output, input, weight) => {
    weights[output * inputs + input]! += weight;
  });
  return { outputs, inputs, weights };
}

/**
 * Applies one map to the rows and one to the columns of images: resampling and pooling, exactly differentiable.
 * x [..., height, width] → [..., rows.outputs, columns.outputs].
 */
export function applySeparable(x: Tensor, rows: AxisMap, columns: AxisMap): Tensor {
  const leading = x.shape.slice(0, -2);
  const across = matmul(x, matrix(columns), { transposeB: true }); // [..., height, columns]
  const images = reshape(across, [-1, rows.inputs, columns.outputs]);
  return reshape(matmul(matrix(rows), images), [...leading, rows.outputs, columns.outputs]);
}

function matrix({ outputs, inputs, weights }: AxisMap): Tensor {
  return tensor(weights, [outputs, inputs]);
}
