import {
  cast,
  compile,
  type Module,
  materialize,
  randomKey,
  randomNormal,
  type Shape,
  streamKey,
  type Tensor,
  vectorJacobianProduct,
} from '../../src/index.js';
import type { Step } from './timing.js';

/**
 * Forward and backward pass of a module on random activations in bfloat16, with a random gradient of its result: gives
 * the gradients of the activations and of all parameters that train.
 *
 * @param forward from activations of these shapes to the result.
 */
export async function moduleStep(
  module: Module,
  shapes: readonly Shape[],
  forward: (inputs: readonly Tensor[]) => Tensor,
): Promise<Step> {
  const random = (shape: Shape, seed: number) => cast(randomNormal(streamKey(randomKey(seed)), shape), 'bfloat16');
  const inputs = shapes.map(random);
  await materialize(inputs);
  const result = (given: readonly Tensor[]) => cast(forward(given.map((x) => cast(x, 'float32'))), 'bfloat16');
  const cotangent = random(result(inputs).shape, shapes.length);
  await materialize([cotangent]);
  const parameters = Object.values(module.trainableParameters());
  const step = compile((given: readonly Tensor[], gradient: Tensor) =>
    vectorJacobianProduct([result(given)], [gradient], [...given, ...parameters]),
  );
  return () => step(inputs, cotangent);
}

/** Bytes of a number of bfloat16. */
export const bfloat16Bytes = 2;
