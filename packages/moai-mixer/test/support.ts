import { initializers, type Module, randomKey, type Tensor, tensor } from '@ocelli/core-tensor';

/** Random numbers of a shape. */
export function random(shape: readonly number[], seed = 0): Tensor {
  return tensor(initializers.normal()(shape, randomKey(seed)), shape);
}

/** Elements of a tensor, row by row. */
export async function values(x: Tensor): Promise<number[]> {
  return Array.from((await x.data()) as ArrayLike<number>);
}

/** Largest difference between two tensors of one size. */
export async function distance(a: Tensor, b: Tensor): Promise<number> {
  const [left, right] = await Promise.all([values(a), values(b)]);
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return left.reduce((worst, each, index) => Math.max(worst, Math.abs(each - right[index]!)), 0);
}

/** A bool tensor of rows. */
export function mask(rows: readonly (readonly number[])[]): Tensor {
  return tensor(Uint8Array.from(rows.flat()), [rows.length, rows[0]!.length], 'bool');
}

/** The module with all its values drawn from N(0, 0.5²). */
export function drawn<M extends Module>(module: M): M {
  const draw = initializers.normal(0, 0.5);
  Object.values(module.namedParameters()).forEach((parameter, index) => {
    parameter.set(draw(parameter.shape, randomKey(index)));
  });
  return module;
}
