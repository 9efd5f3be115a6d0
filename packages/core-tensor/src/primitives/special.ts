import { sizeOf } from '../graph/shape.js';
import type { PrimitiveAttributes } from './attributes.js';
import { type Primitive, requireShapes } from './primitive.js';

export const specialPrimitives = {
  /**
   * Input key, int32 [2]: uniform float32 numbers in [0, 1), element i being word i of Philox4x32-10 under that key
   * with `stream` in the counter. The same bytes on every engine.
   */
  randomUniform: {
    infer: (inputs, { shape }) => {
      requireShapes(
        inputs[0]!.dtype === 'int32' && sizeOf(inputs[0]!.shape) === 2,
        'randomUniform',
        'a key of dtype int32 and shape [2]',
        inputs,
      );
      return { shape, dtype: 'float32' as const };
    },
  } satisfies Primitive<PrimitiveAttributes['randomUniform']>,

  /** Inputs x and any others: x, not computed before the others are. Keeps recomputation where it saves memory. */
  barrier: {
    infer: ([x]) => x!,
    gradient: ({ inputs, cotangent }) => [cotangent, ...inputs.slice(1).map(() => undefined)],
  } satisfies Primitive<PrimitiveAttributes['barrier']>,

  /** Input x: x, through which no gradient passes. */
  stopGradient: {
    infer: ([x]) => x!,
    gradient: () => [undefined],
  } satisfies Primitive<PrimitiveAttributes['stopGradient']>,
};
