import type { CheckpointSegment } from './autodiff/checkpoint.js';
import type { History } from './autodiff/history.js';
import { type AnyTypedArray, allocate, convert, type DType, isArrayOf, type TypedArrayOf } from './dtype.js';
import type { DeviceBuffer } from './engine/engine.js';
import { DTypeError, GraphError, ShapeError } from './errors.js';
import { type Shape, sizeOf } from './graph/shape.js';
import type { PrimitiveAttributes, PrimitiveName } from './primitives/attributes.js';
import { primitives } from './primitives/table.js';

/** A recorded application of a primitive. */
export interface Operation<Name extends PrimitiveName = PrimitiveName> {
  readonly kind: 'operation';
  readonly op: Name;
  readonly inputs: readonly Tensor[];
  readonly attributes: PrimitiveAttributes[Name];
}

/** Where a tensor's values come from. */
export type Source =
  | Operation
  /** Values in host memory, given by the user. */
  | { readonly kind: 'host'; readonly data: AnyTypedArray }
  /** Values that an engine holds, and what they were computed from, which gradients no longer reach. */
  | { readonly kind: 'device'; readonly buffer: DeviceBuffer; readonly history?: History | undefined }
  /** An argument of a function that is being traced. */
  | { readonly kind: 'input' }
  /** A parameter, whose values are bound when a program runs. */
  | { readonly kind: 'parameter' }
  /** An output of a checkpointed function. */
  | { readonly kind: 'segment'; readonly segment: CheckpointSegment; readonly index: number };

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type TensorLike = Tensor | number;

let evaluation: Promise<typeof import('./engine/evaluate.js')> | undefined;

/**
 * A multi-dimensional array that records how it is computed. Operations cost nothing until {@link Tensor.data} asks
 * for values; the engine then compiles and runs what is needed.
 */
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  /** @internal */
  source: Source;

  /** @internal Use {@link tensor}, {@link zeros} or an operation. */
  constructor(shape: Shape, dtype: DType, source: Source) {
    this.shape = shape;
    this.dtype = dtype;
    this.source = source;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * The values, row-major: computes them if that has not happened yet. The tensor is then a plain value that no longer
   * knows how it was computed, so take gradients before: those through it to what it was computed from are an error.
   *
   * @throws GraphError inside a function that is being traced by `compile`.
   */
  async data(): Promise<AnyTypedArray> {
    if (this.source.kind === 'host') return this.source.data;
    // Loaded late, and once: evaluation knows parameters, which are tensors themselves.
    evaluation ??= import('./engine/evaluate.js');
    return (await evaluation).evaluate(this);
  }

  /** The only value of a tensor with one element, as a number. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError({ operation: 'item', expected: 'a tensor of one element', received: [this.shape] });
    }
    const data = await this.data();
    const isHalf = this.dtype === 'float16' || this.dtype === 'bfloat16';
    return Number((isHalf ? convert(data as Uint16Array, this.dtype as 'float16', 'float32') : data)[0]);
  }

  toString(): string {
    return `Tensor(${this.dtype} [${this.shape.join(', ')}])`;
  }
}

/** @internal Records a primitive after checking its inputs. */
export function record<Name extends PrimitiveName>(
  op: Name,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[Name],
): Tensor {
  const { shape, dtype } = primitives[op].infer(inputs, attributes);
  if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new ShapeError({
      operation: op,
      expected: `sizes that are whole and not negative, received a result of [${shape.join(', ')}]`,
      received: inputs.map((input) => input.shape),
      remedy: 'Check the sizes, steps and factors that were given.',
    });
  }
  return new Tensor(shape, dtype, { kind: 'operation', op, inputs, attributes });
}

type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A tensor of the given values.
 *
 * @param values a typed array, a number, or nested arrays of numbers, which give the shape.
 * @param shape needed for a typed array of more than one axis.
 * @param dtype default: that of the typed array (`float32` for numbers). 16-bit floats in a typed array are bit patterns.
 * @throws ShapeError if the number of values is not that of the shape, or nested arrays are ragged; DTypeError if the
 *   dtype does not hold the values.
 */
export function tensor(values: AnyTypedArray | NestedNumbers, shape?: Shape, dtype?: DType): Tensor {
  if (ArrayBuffer.isView(values)) {
    const array = values as AnyTypedArray;
    const actual = dtype ?? dtypeOf(array);
    const actualShape = shape ?? [array.length];
    checkCount(array.length, actualShape);
    if (!isArrayOf(actual, array)) {
      throw new DTypeError({
        operation: 'tensor',
        expected: `a ${allocate(actual, 0).constructor.name} for dtype ${actual}`,
        received: `a ${array.constructor.name}`,
        remedy: 'Convert the values, or make a tensor of their own dtype and cast it.',
      });
    }
    return new Tensor(actualShape, actual, { kind: 'host', data: array });
  }
  const nested = values as NestedNumbers;
  const nestedShape = shapeOfNested(nested);
  const flat = (
    typeof nested === 'number' ? [nested] : (nested as readonly unknown[]).flat(Number.POSITIVE_INFINITY)
  ) as number[];
  checkCount(flat.length, nestedShape);
  return new Tensor(reshaped(nestedShape, shape), dtype ?? 'float32', {
    kind: 'host',
    data: fromNumbers(flat, dtype ?? 'float32'),
  });
}

/** @internal A number as a scalar of `dtype`. */
export function scalar(value: number, dtype: DType): Tensor {
  return new Tensor([], dtype, { kind: 'host', data: fromNumbers([value], dtype) });
}

/** @internal Operands as tensors; numbers take the dtype of the first tensor among them. */
export function asTensors(...values: readonly TensorLike[]): Tensor[] {
  const dtype =
    values.find((value): value is Tensor => value instanceof Tensor && value.dtype !== 'bool')?.dtype ?? 'float32';
  return values.map((value) => (value instanceof Tensor ? value : scalar(value, dtype)));
}

function reshaped(from: Shape, to: Shape | undefined): Shape {
  if (to === undefined) return from;
  checkCount(sizeOf(from), to);
  return to;
}

function checkCount(count: number, shape: Shape): void {
  if (shape.some((size) => !Number.isInteger(size) || size < 0) || sizeOf(shape) !== count) {
    throw new ShapeError({
      operation: 'tensor',
      expected: `${count} values to fill a shape of as many elements`,
      received: [shape],
    });
  }
}

function shapeOfNested(values: NestedNumbers): number[] {
  if (typeof values === 'number') return [];
  const inner = values.map(shapeOfNested);
  const first = inner[0] ?? [];
  if (inner.some((shape) => shape.join() !== first.join())) {
    throw new ShapeError({ operation: 'tensor', expected: 'nested arrays of equal lengths', received: inner });
  }
  return [values.length, ...first];
}

function fromNumbers(values: readonly number[], dtype: DType): AnyTypedArray {
  if (dtype === 'float16' || dtype === 'bfloat16') return convert(Float32Array.from(values), 'float32', dtype);
  const range = integerRanges[dtype];
  const misfit = range && values.find((value) => !(Number.isInteger(value) && value >= range[0] && value <= range[1]));
  if (misfit !== undefined) {
    throw new DTypeError({
      operation: 'tensor',
      expected: `whole numbers between ${range![0]} and ${range![1]} for dtype ${dtype}`,
      received: String(misfit),
      remedy: 'Use float32, or cast the other operand to it.',
    });
  }
  const array = allocate(dtype, values.length) as TypedArrayOf<DType>;
  values.forEach((value, index) => {
    array[index] = array instanceof BigInt64Array ? BigInt(value) : value;
  });
  return array;
}

const integerRanges: { readonly [D in DType]?: readonly [smallest: number, largest: number] } = {
  bool: [0, 1],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

function dtypeOf(array: AnyTypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Uint8Array) return 'uint8';
  throw new DTypeError({
    operation: 'tensor',
    expected: 'a Float32Array, Int32Array, BigInt64Array or Uint8Array, or a dtype as third argument',
    received: array.constructor.name,
  });
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = 'float32'): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones. */
export function ones(shape: Shape, dtype: DType = 'float32'): Tensor {
  return full(shape, 1, dtype);
}

/** A tensor of one value; takes no memory until it is needed. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return record('broadcastTo', [scalar(value, dtype)], { shape });
}

/** @internal Fails where a value is asked for that only exists once the traced function runs. */
export function traceError(operation: string): GraphError {
  return new GraphError({
    operation,
    expected: 'a tensor with values',
    received: 'an argument of a function that is being traced',
    remedy: 'Return the tensor from the compiled function and read it there.',
  });
}
