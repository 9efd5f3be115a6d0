import { vectorJacobianProduct } from '../../src/autodiff/gradients.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Tensor } from '../../src/tensor.js';
import { numbersOf } from './close.js';
import { compileOn, type TensorFunction } from './engines.js';
import { type HostTensor, materialize } from './host-tensor.js';

/** Distance of the two points that a derivative is estimated from; good for ten digits in double precision. */
const step = 1e-5;

/** Weights of a function's results, so that the gradient of the weighted sum has no special structure. */
export function cotangentsOf(outputs: readonly Pick<HostTensor, 'shape' | 'dtype'>[]): HostTensor[] {
  return materialize(
    outputs.map(({ shape, dtype }, output) => ({
      shape,
      dtype,
      element: (index) => Math.sin(1.3 * index + output + 0.5) + 0.25,
    })),
  );
}

/** The function that computes the gradients of Σ⟨outputs, cotangents⟩; the cotangents are its last arguments. */
export function gradientOf(fn: TensorFunction, inputCount: number, withRespectTo: readonly number[]): TensorFunction {
  return (...all) => {
    const inputs = all.slice(0, inputCount);
    const outputs = [fn(...inputs)].flat() as Tensor[];
    return vectorJacobianProduct(
      outputs,
      all.slice(inputCount),
      withRespectTo.map((index) => inputs[index]!),
    );
  };
}

/** Gradients of Σ⟨outputs, cotangents⟩ by central differences, on an engine that computes in double precision. */
export async function centralDifferences(
  exact: Engine,
  fn: TensorFunction,
  inputs: readonly HostTensor[],
  cotangents: readonly HostTensor[],
  withRespectTo: readonly number[],
): Promise<number[][]> {
  const run = await compileOn(exact, fn, inputs);
  const points = inputs.map((input, index) =>
    withRespectTo.includes(index) ? Float64Array.from(numbersOf(input)) : input.data,
  );
  const weights = cotangents.map(numbersOf);
  const total = async (): Promise<number> => {
    const outputs = await run(points);
    return outputs.reduce(
      (sum, { data }, o) => sum + (data as Float64Array).reduce((part, y, i) => part + y * weights[o]![i]!, 0),
      0,
    );
  };
  const gradients: number[][] = [];
  for (const index of withRespectTo) {
    const point = points[index] as Float64Array;
    const gradient: number[] = [];
    for (let i = 0; i < point.length; i++) {
      const centre = point[i]!;
      point[i] = centre + step;
      const above = await total();
      point[i] = centre - step;
      const below = await total();
      point[i] = centre;
      gradient.push((above - below) / (2 * step));
    }
    gradients.push(gradient);
  }
  return gradients;
}
