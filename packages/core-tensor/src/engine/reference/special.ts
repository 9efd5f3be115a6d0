import { sizeOf } from '../../graph/shape.js';
import { philoxUniformInto } from '../../random/philox.js';
import type { ReferenceLowerings } from './value.js';

export const specialLowerings = {
  randomUniform: ({ attributes: { shape, stream } }, [key]) => {
    const [low, high] = key!.data;
    const numbers = new Float32Array(sizeOf(shape));
    philoxUniformInto(low! >>> 0, high! >>> 0, stream, numbers);
    return Float64Array.from(numbers);
  },
  barrier: (_, [x]) => x!.data,
  stopGradient: (_, [x]) => x!.data,
} satisfies Partial<ReferenceLowerings>;
