import { byteSize, type StorageDType, type TypedArrayOf } from '../dtype.js';

/** Largest header that is read or written, in bytes; the reference implementation's limit. */
export const maxHeaderBytes = 100_000_000;

/** Names of element types in a safetensors header. */
export const dtypeNames = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3: 'F8_E4M3',
  int16: 'I16',
  uint16: 'U16',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  uint32: 'U32',
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
  uint64: 'U64',
} as const satisfies Readonly<Record<StorageDType, string>>;

const dtypesByName = new Map<unknown, StorageDType>(
  Object.entries(dtypeNames).map(([dtype, name]) => [name, dtype as StorageDType]),
);

/** The element type of a header's name for it. */
export function dtypeNamed(name: unknown): StorageDType | undefined {
  return dtypesByName.get(name);
}

/** What a file says about one tensor. */
export interface TensorInfo {
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** Where a tensor's bytes are. */
export interface TensorEntry extends TensorInfo {
  /** First byte, counted from the start of the data. */
  readonly begin: number;
}

/** A tensor in memory as files know it: row-major elements, and no graph behind them. */
export type StoredTensor<D extends StorageDType = StorageDType> = {
  readonly [K in D]: { readonly dtype: K; readonly shape: readonly number[]; readonly data: TypedArrayOf<K> };
}[D];

/**
 * A tensor to be written. `data` may be a function, called when the tensor's turn comes and forgotten afterwards, so
 * that a model is written with one tensor in memory at a time.
 */
export type TensorSource<D extends StorageDType = StorageDType> = {
  readonly [K in D]: {
    readonly dtype: K;
    readonly shape: readonly number[];
    readonly data: TypedArrayOf<K> | (() => TypedArrayOf<K> | Promise<TypedArrayOf<K>>);
  };
}[D];

/** Tensors by name: a plain object, a `Map`, or any iterable of pairs. */
export type TensorSources =
  | Readonly<Record<string, TensorSource>>
  | Iterable<readonly [name: string, tensor: TensorSource]>;

/** Bytes of a tensor, or `undefined` where the shape is invalid or too large to count exactly. */
export function tensorByteLength(dtype: StorageDType, shape: readonly unknown[]): number | undefined {
  let bytes = byteSize(dtype);
  let empty = false;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      return undefined;
    }
    // An empty axis must not hide that the others are absurd.
    empty ||= size === 0;
    bytes *= Math.max(size as number, 1);
    if (!Number.isSafeInteger(bytes)) {
      return undefined;
    }
  }
  return empty ? 0 : bytes;
}
