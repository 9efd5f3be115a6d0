import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { type Tensor, tensor } from '../../src/tensor.js';
import { gradientOf } from './central-differences.js';
import { numbersOf } from './close.js';
import { runOn, type TensorFunction } from './engines.js';
import { type HostTensor, materialize, uniform } from './host-tensor.js';

const engine = await startReferenceEngine();

/** Values of tensors that depend on no arguments, on the reference engine. */
export async function valuesOf(...tensors: readonly Tensor[]): Promise<number[][]> {
  const results = await runOn(engine, () => tensors, []);
  return results.map(numbersOf);
}

/** Gradients of the sum of all results with respect to each input, on the reference engine. */
export async function gradientsOf(fn: TensorFunction, inputs: readonly HostTensor[]): Promise<number[][]> {
  const outputs = await runOn(engine, fn, inputs);
  const ones = outputs.map((output) => ({ ...output, data: new Float32Array(output.data.length).fill(1) }));
  const results = await runOn(
    engine,
    gradientOf(
      fn,
      inputs.length,
      inputs.map((_, index) => index),
    ),
    [...inputs, ...ones],
  );
  return results.map(numbersOf);
}

/** A tensor of numbers without pattern, and a reader of its elements by their indices. */
export function random(...shape: number[]): { readonly x: Tensor; readonly at: (...indices: number[]) => number } {
  const [host] = materialize([{ ...uniform(shape), element: (index, _input, value) => 4 * value - 2 + 0.01 * index }]);
  const at = (...indices: number[]) =>
    Number(host!.data[indices.reduce((place, index, axis) => place * shape[axis]! + index, 0)]);
  return { x: tensor(host!.data, shape), at };
}

/** 0, 1, 2, … in a shape. */
export function counting(...shape: number[]): Tensor {
  const size = shape.reduce((product, each) => product * each, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, index) => index),
    shape,
  );
}
