import { type AnyTypedArray, convert, type DType, isFloating } from '../../dtype.js';
import { EngineError } from '../../errors.js';
import type { OperationNode } from '../../graph/graph.js';
import type { Shape } from '../../graph/shape.js';
import type { PrimitiveName } from '../../primitives/attributes.js';

/** A tensor of the reference engine: numbers of any dtype, held in double precision, row-major. */
export interface ReferenceValue {
  readonly data: Float64Array;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** How each primitive computes its elements; {@link settle} brings them into the range of the dtype. */
export type ReferenceLowerings = {
  readonly [Name in PrimitiveName]: (node: OperationNode<Name>, inputs: readonly ReferenceValue[]) => Float64Array;
};

/**
 * Numbers brought into the range of a dtype: integers wrap around as they do in hardware, 16-bit floats are rounded.
 * float32 stays in double precision until it is read.
 *
 * @throws EngineError for an int64 beyond ±(2⁵³ − 1), which a double cannot hold exactly.
 */
export function settle(data: Float64Array, dtype: DType): Float64Array {
  switch (dtype) {
    case 'int32':
      return data.map((value) => value | 0);
    case 'uint8':
      return data.map((value) => value & 255);
    case 'int64':
      data.forEach(requireExact);
      return data;
    case 'float16':
    case 'bfloat16':
      return convert(convert(data, 'float64', dtype), dtype, 'float64');
    default:
      return data;
  }
}

function requireExact(value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new EngineError({
    operation: 'reference engine',
    expected: 'int64 values between −(2⁵³ − 1) and 2⁵³ − 1',
    received: String(value),
    remedy: 'Compute with larger integers on the ort engine.',
  });
}

/** Host values as doubles; floats may be given as a Float64Array. */
export function fromHost(data: AnyTypedArray, shape: Shape, dtype: DType, float64: boolean): ReferenceValue {
  const isDouble = isFloating(dtype) && data instanceof Float64Array;
  if (isDouble)
    return { data: float64 ? new Float64Array(data) : roundFloats(new Float64Array(data), dtype), shape, dtype };
  const values = convert(data as never, dtype, 'float64');
  return { data: dtype === 'int64' ? settle(values, dtype) : values, shape, dtype };
}

/** Values in the array of their dtype, or floats as a Float64Array. */
export function toHost({ data }: ReferenceValue, dtype: DType, float64: boolean): AnyTypedArray {
  if (isFloating(dtype)) return float64 ? new Float64Array(data) : (convert(data, 'float64', dtype) as AnyTypedArray);
  return convert(data, 'float64', dtype) as AnyTypedArray;
}

function roundFloats(data: Float64Array, dtype: DType): Float64Array {
  return dtype === 'float32' ? Float64Array.from(data, Math.fround) : settle(data, dtype);
}
