import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import type { Tensor } from '../tensor.js';

/** Shape and dtype: all that is known of a tensor before it is computed. */
export interface AbstractTensor {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a gradient rule is given. */
export interface GradientContext<A> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** Gradient of the loss with respect to `output`; has its shape. */
  readonly cotangent: Tensor;
  readonly attributes: A;
  /** Whether the gradient with respect to input `index` is wanted. */
  needs(index: number): boolean;
}

/** One gradient per input; `undefined` where none is wanted or none exists (indices, conditions). */
export type InputGradients = readonly (Tensor | undefined)[];

/** The description of one operation: everything but how an engine computes it. */
export interface Primitive<A> {
  /** Shape and dtype of the result. Throws {@link ShapeError} or {@link DTypeError} for inputs that do not fit. */
  infer(inputs: readonly AbstractTensor[], attributes: A): AbstractTensor;
  /** Gradients with respect to the inputs, in terms of other operations; left out where the operation has none. */
  gradient?(context: GradientContext<A>): InputGradients;
}

/** Checks that an input is of a floating-point dtype. */
export function requireFloat(operation: string, inputs: readonly AbstractTensor[]): void {
  for (const { dtype } of inputs) {
    if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16') {
      throw new DTypeError({
        operation,
        expected: 'floating-point inputs',
        received: dtype,
        remedy: "Convert with cast(x, 'float32').",
      });
    }
  }
}

/** Checks that indices are integers. */
export function requireIndices(operation: string, indices: AbstractTensor): void {
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64') {
    throw new DTypeError({
      operation,
      expected: 'int32 or int64 indices',
      received: indices.dtype,
      remedy: "Convert with cast(indices, 'int32').",
    });
  }
}

/** Checks that all inputs share one dtype, and returns it. */
export function requireSameDType(operation: string, inputs: readonly AbstractTensor[]): DType {
  const dtype = inputs[0]!.dtype;
  for (const input of inputs) {
    if (input.dtype !== dtype) {
      throw new DTypeError({
        operation,
        expected: 'inputs of one dtype',
        received: inputs.map((each) => each.dtype).join(' and '),
        remedy: 'Convert one of them with cast.',
      });
    }
  }
  return dtype;
}

/** Fails with the operation's name, what it expects and the shapes it got, unless the condition holds. */
export function requireShapes(
  condition: boolean,
  operation: string,
  expected: string,
  inputs: readonly AbstractTensor[],
  remedy?: string,
): asserts condition {
  if (!condition) {
    throw new ShapeError({ operation, expected, received: inputs.map((input) => input.shape), remedy });
  }
}
