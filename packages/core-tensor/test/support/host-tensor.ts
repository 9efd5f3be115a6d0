import { type AnyTypedArray, allocate, convert, type DType } from '../../src/dtype.js';
import { type Shape, sizeOf } from '../../src/graph/shape.js';

/** A tensor's values in host memory. */
export interface HostTensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: AnyTypedArray;
}

/** How the elements of an input are chosen. */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Number of the element, its place among the inputs, and a random number in [0, 1) to a value. */
  readonly element: (index: number, input: number, random: number) => number;
}

/** Uniform numbers; integers for integer dtypes. */
export function uniform(shape: Shape, { low = -2, high = 2, dtype = 'float32' as DType } = {}): InputSpec {
  const whole = dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16';
  return {
    shape,
    dtype,
    element: (_index, _input, random) => {
      const value = low + random * (high - low);
      return whole ? Math.floor(value) : value;
    },
  };
}

/** Numbers at least 0.1 from every multiple of ½, where rounding and signs have their steps. */
export function offSteps(shape: Shape, { low = -2, high = 2 } = {}): InputSpec {
  return {
    shape,
    dtype: 'float32',
    element: (index, _input, random) =>
      Math.floor((low + random * (high - low)) * 2) / 2 + 0.1 + 0.3 * ((index * 0.37) % 1),
  };
}

/** Numbers at least 0.02 from each other, also across inputs, in no order. */
export function distinct(shape: Shape, dtype: DType = 'float32'): InputSpec {
  const size = Math.max(1, sizeOf(shape));
  let stride = 7;
  while (greatestCommonDivisor(stride, size) !== 1) stride++;
  return {
    shape,
    dtype,
    element: (index, input) => {
      const place = (index * stride + 3) % size;
      return dtype === 'float32' ? (place - size / 2) * 0.1 + 0.03 * input : place;
    },
  };
}

/** The given values. */
export function given(shape: Shape, values: readonly number[], dtype: DType = 'float32'): InputSpec {
  return { shape, dtype, element: (index) => values[index]! };
}

/** The values of the inputs; the same for the same specs. */
export function materialize(specs: readonly InputSpec[]): HostTensor[] {
  return specs.map(({ shape, dtype, element }, input) => {
    let state = 0x9e3779b9 * (input + 1) + sizeOf(shape);
    const values = Float64Array.from({ length: sizeOf(shape) }, (_, index) => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
      return element(index, input, ((state ^ (state >>> 13)) >>> 0) / 2 ** 32);
    });
    return {
      shape,
      dtype,
      data: values.length === 0 ? allocate(dtype, 0) : (convert(values, 'float64', dtype) as AnyTypedArray),
    };
  });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
