import { adaptiveAvgPool1d, initializers, matmul, randomKey, reshape, type Tensor, tensor } from '@ocelli/core-tensor';

/**
 * Adaptive average pooling of images whose channels come last (PyTorch's `adaptive_avg_pool2d` otherwise): cell i of an
 * axis covers inputs ⌊i·in/out⌋ … ⌈(i+1)·in/out⌉ − 1, so that cells overlap where sizes do not divide and repeat when
 * enlarging. x [batch, height, width, channels] → [batch, rows, columns, channels].
 */
export function adaptiveAvgPoolChannelsLast(x: Tensor, [rows, columns]: readonly [number, number]): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const down = pool(reshape(x, [batch, height, width * channels]), rows); // [batch, rows, width · channels]
  const across = pool(reshape(down, [batch * rows, width, channels]), columns); // [batch · rows, columns, channels]
  return reshape(across, [batch, rows, columns, channels]);
}

/** x [batch, inputs, width] → [batch, outputs, width] */
function pool(x: Tensor, outputs: number): Tensor {
  const inputs = x.shape[1]!;
  if (inputs === outputs) return x;
  // Pooling the unit vectors gives the weights of every input in every cell.
  const units = tensor(initializers.identity([inputs, inputs], randomKey(0)), [inputs, inputs]);
  const weights = adaptiveAvgPool1d(units, outputs); // [inputs, outputs]
  return matmul(weights, x, { transposeA: true });
}
