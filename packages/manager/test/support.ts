import { initializers, randomKey, type Tensor, tensor } from '@ocelli/core-tensor';

/** Standard normal numbers of a shape; the same each time for the same name. */
export function normalTensor(shape: readonly number[], name = 'test'): Tensor {
  return tensor(initializers.normal()(shape, randomKey(name)), shape);
}

/** Largest difference of two tensors' numbers. */
export async function difference(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  return x.reduce((most, value, index) => Math.max(most, Math.abs(value - y[index]!)), 0);
}
