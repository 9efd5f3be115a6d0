import { DTypeError } from './errors.js';

/** Element types that tensors compute with. `bfloat16` and `float16` hold their bit patterns in a `Uint16Array`. */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8' | 'bool';

/** Element types that files may hold: every {@link DType}, and those that are converted when they are read. */
export type StorageDType =
  | DType
  | 'float64'
  | 'int16'
  | 'int8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float8_e4m3'
  | 'float8_e5m2';

/** The array that holds each element type; 16-bit and 8-bit floats are held as bit patterns, `bool` as 0 and 1. */
export interface TypedArrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
  float64: Float64Array;
  int16: Int16Array;
  int8: Int8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  float8_e4m3: Uint8Array;
  float8_e5m2: Uint8Array;
}

/** The typed array that holds elements of dtype `D`. */
export type TypedArrayOf<D extends StorageDType> = TypedArrays[D];

/** Any array that holds elements of some dtype. */
export type AnyTypedArray = TypedArrays[StorageDType];

interface ArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

const arrayConstructors: { readonly [D in StorageDType]: ArrayConstructor<TypedArrays[D]> } = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float64: Float64Array,
  int16: Int16Array,
  int8: Int8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float8_e4m3: Uint8Array,
  float8_e5m2: Uint8Array,
};

/** Every {@link DType}, from the lowest to the highest in promotion. */
export const dtypes: readonly DType[] = ['bool', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32'];

/** Every {@link StorageDType}. */
export const storageDTypes = Object.keys(arrayConstructors) as readonly StorageDType[];

function isName<T extends string>(names: readonly T[], value: unknown): value is T {
  return (names as readonly unknown[]).includes(value);
}

/** Whether `value` is the name of a {@link DType}. */
export function isDType(value: unknown): value is DType {
  return isName(dtypes, value);
}

/** Whether `value` is the name of a {@link StorageDType}. */
export function isStorageDType(value: unknown): value is StorageDType {
  return isName(storageDTypes, value);
}

function constructorOf<D extends StorageDType>(dtype: D): ArrayConstructor<TypedArrays[D]> {
  if (!isStorageDType(dtype)) {
    throw new DTypeError({
      operation: 'dtype',
      expected: `one of ${storageDTypes.join(', ')}`,
      received: JSON.stringify(dtype) ?? String(dtype),
    });
  }
  return arrayConstructors[dtype] as ArrayConstructor<TypedArrays[D]>;
}

/** Bytes of one element. */
export function byteSize(dtype: StorageDType): number {
  return constructorOf(dtype).BYTES_PER_ELEMENT;
}

/** A zeroed array of `length` elements of `dtype`. */
export function allocate<D extends StorageDType>(dtype: D, length: number): TypedArrayOf<D> {
  return new (constructorOf(dtype))(length);
}

/**
 * Elements of `dtype` over existing bytes, without a copy.
 *
 * @param byteOffset multiple of the element size
 * @throws RangeError where the offset is unaligned or the range leaves the buffer
 */
export function viewAs<D extends StorageDType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArrayOf<D> {
  return new (constructorOf(dtype))(buffer, byteOffset, length);
}

/** Whether `data` is the kind of typed array that holds elements of `dtype`. */
export function isArrayOf<D extends StorageDType>(dtype: D, data: unknown): data is TypedArrayOf<D> {
  return data instanceof (constructorOf(dtype) as unknown as new () => unknown);
}

/** Whether `dtype` is a floating-point type. */
export function isFloating(dtype: StorageDType): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

/**
 * The dtype two operands are computed in: PyTorch's promotion of tensors with at least one axis, restricted to
 * {@link DType}. Any float beats any integer; `float16` with `bfloat16` gives `float32`.
 */
export function promote(a: DType, b: DType): DType {
  if ((a === 'float16' && b === 'bfloat16') || (a === 'bfloat16' && b === 'float16')) {
    return 'float32';
  }
  const rankA = dtypes.indexOf(a);
  const rankB = dtypes.indexOf(b);
  if (rankA < 0 || rankB < 0) {
    throw new DTypeError({ operation: 'promote', expected: `two of ${dtypes.join(', ')}`, received: `${a} and ${b}` });
  }
  return rankA >= rankB ? a : b;
}

export { convert } from './convert.js';
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.js';
