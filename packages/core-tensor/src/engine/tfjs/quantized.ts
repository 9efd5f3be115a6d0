import { dequantizeBnb4 } from '../../quantization/bnb4.js';
import { dequantizeNBits } from '../../quantization/nbits.js';
import type { Tfjs, TfjsLowerings, TfjsTensor } from './lowering.js';

/** x·Wᵀ with a weight [outputs, inputs]. */
function product(tf: Tfjs, x: TfjsTensor, weight: Float32Array, outputs: number): TfjsTensor {
  const inputs = x.shape.at(-1)!;
  const rows = tf.reshape(x, [x.size / inputs, inputs]);
  const y = tf.matMul(rows, tf.tensor2d(weight, [outputs, inputs]), false, true);
  return tf.reshape(y, [...x.shape.slice(0, -1), outputs]);
}

function bytesOf(x: TfjsTensor): Uint8Array {
  return Uint8Array.from(x.dataSync<'int32'>());
}

// Weights are unpacked on the host: TensorFlow.js has no operations on bits that all its backends know.
export const quantizedLowerings = {
  matmulNBits: (tf, { shape, attributes }, [x, packed, scales, zeroPoints]) => {
    if (x!.size === 0) return tf.zeros([...shape]);
    const [outputs] = scales!.shape as [number];
    const matrix = {
      packed: bytesOf(packed!),
      scales: scales!.dataSync<'float32'>() as Float32Array,
      zeroPoints: zeroPoints && bytesOf(zeroPoints),
    };
    return product(tf, x!, dequantizeNBits(matrix, [outputs, x!.shape.at(-1)!], attributes), outputs);
  },
  matmulBnb4: (tf, { shape, attributes }, [x, packed, absmax]) => {
    if (x!.size === 0) return tf.zeros([...shape]);
    const { outputs } = attributes;
    const array = { packed: bytesOf(packed!), absmax: absmax!.dataSync<'float32'>() as Float32Array };
    return product(tf, x!, dequantizeBnb4(array, outputs * x!.shape.at(-1)!, attributes), outputs);
  },
} satisfies Partial<TfjsLowerings>;
