import type * as TfjsModule from '@tensorflow/tfjs-core';
import type { DType } from '../../dtype.js';
import type { OperationNode } from '../../graph/graph.js';
import type { PrimitiveName } from '../../primitives/attributes.js';

/** TensorFlow.js itself, which is loaded when the engine starts. */
export type Tfjs = typeof TfjsModule;
export type TfjsTensor = TfjsModule.Tensor;

/**
 * How each primitive is computed with TensorFlow.js. Intermediate tensors are disposed of by the caller; a result may
 * be an input itself. Results of no elements are made by the caller.
 */
export type TfjsLowerings = {
  readonly [Name in PrimitiveName]: (tf: Tfjs, node: OperationNode<Name>, inputs: readonly TfjsTensor[]) => TfjsTensor;
};

/** The TensorFlow.js dtype that holds each dtype: all floats are float32 there, all integers int32. */
export function heldAs(dtype: DType): 'float32' | 'int32' | 'bool' {
  if (dtype === 'bool') return 'bool';
  return dtype === 'int32' || dtype === 'int64' || dtype === 'uint8' ? 'int32' : 'float32';
}

/** Whether x differs from 0. The wasm backend's own conversion to bool copies the low byte. */
export function toBool(tf: Tfjs, x: TfjsTensor): TfjsTensor {
  return tf.notEqual(x, tf.scalar(0, x.dtype as 'float32'));
}

/** Applies a function that moves elements; bools take part as integers, which every backend moves correctly. */
export function movingBools(
  tf: Tfjs,
  inputs: readonly TfjsTensor[],
  fn: (...inputs: TfjsTensor[]) => TfjsTensor,
): TfjsTensor {
  if (inputs.every(({ dtype }) => dtype !== 'bool')) return fn(...inputs);
  return toBool(tf, fn(...inputs.map((each) => (each.dtype === 'bool' ? tf.cast(each, 'int32') : each))));
}

/** −x. Backends negate integers by way of floats, which do not hold all of them; they subtract correctly. */
export function negate(tf: Tfjs, x: TfjsTensor): TfjsTensor {
  return x.dtype === 'int32' ? tf.sub(tf.zerosLike(x), x) : tf.neg(x);
}
