import { sizeOf } from '../../graph/shape.js';
import { philoxUniformInto } from '../../random/philox.js';
import type { TfjsLowerings } from './lowering.js';

export const specialLowerings = {
  // Drawn on the host: TensorFlow.js has no unsigned 32-bit arithmetic.
  randomUniform: (tf, { attributes: { shape, stream } }, [key]) => {
    const [low, high] = key!.dataSync<'int32'>();
    const numbers = new Float32Array(sizeOf(shape));
    philoxUniformInto(low! >>> 0, high! >>> 0, stream, numbers);
    return tf.tensor(numbers, [...shape], 'float32');
  },
  barrier: (_tf, _node, [x]) => x!,
  stopGradient: (_tf, _node, [x]) => x!,
} satisfies Partial<TfjsLowerings>;
