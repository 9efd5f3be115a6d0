import { describe, expect, it } from 'vitest';
import {
  allocate,
  byteSize,
  convert,
  type DType,
  dtypes,
  isArrayOf,
  isDType,
  isFloating,
  isStorageDType,
  promote,
  type StorageDType,
  storageDTypes,
  viewAs,
} from '../src/dtype.js';
import { DTypeError } from '../src/errors.js';

describe('promote', () => {
  // Rows and columns in the order of the list; from torch.promote_types.
  const order: DType[] = ['bool', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32'];
  const table = [
    ['bool', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32'],
    ['uint8', 'uint8', 'int32', 'int64', 'float16', 'bfloat16', 'float32'],
    ['int32', 'int32', 'int32', 'int64', 'float16', 'bfloat16', 'float32'],
    ['int64', 'int64', 'int64', 'int64', 'float16', 'bfloat16', 'float32'],
    ['float16', 'float16', 'float16', 'float16', 'float16', 'float32', 'float32'],
    ['bfloat16', 'bfloat16', 'bfloat16', 'bfloat16', 'float32', 'bfloat16', 'float32'],
    ['float32', 'float32', 'float32', 'float32', 'float32', 'float32', 'float32'],
  ];

  it('follows the table of PyTorch', () => {
    expect(order.map((a) => order.map((b) => promote(a, b)))).toEqual(table);
    expect([...dtypes].sort()).toEqual([...order].sort());
  });

  it('refuses dtypes that nothing computes with', () => {
    expect(() => promote('float32', 'float64' as DType)).toThrow(DTypeError);
  });
});

describe('arrays of dtypes', () => {
  it.each([
    ['float32', 4, Float32Array],
    ['float16', 2, Uint16Array],
    ['bfloat16', 2, Uint16Array],
    ['int64', 8, BigInt64Array],
    ['int32', 4, Int32Array],
    ['uint8', 1, Uint8Array],
    ['bool', 1, Uint8Array],
    ['float64', 8, Float64Array],
    ['int16', 2, Int16Array],
    ['int8', 1, Int8Array],
    ['uint16', 2, Uint16Array],
    ['uint32', 4, Uint32Array],
    ['uint64', 8, BigUint64Array],
    ['float8_e4m3', 1, Uint8Array],
    ['float8_e5m2', 1, Uint8Array],
  ] as const)('%s takes %i bytes', (dtype, bytes, type) => {
    expect(byteSize(dtype)).toBe(bytes);
    const data = allocate(dtype, 3);
    expect(data).toBeInstanceOf(type);
    expect(data.length).toBe(3);
    expect(isArrayOf(dtype, data)).toBe(true);
    expect(isArrayOf(dtype, [1, 2, 3])).toBe(false);
    expect(isStorageDType(dtype)).toBe(true);
    expect(viewAs(dtype, new ArrayBuffer(32), 8, 2).byteOffset).toBe(8);
  });

  it('names what it knows', () => {
    expect(storageDTypes).toHaveLength(15);
    expect([isDType('float64'), isDType('bool'), isStorageDType('complex64'), isStorageDType('toString')]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(storageDTypes.filter(isFloating)).toEqual([
      'float32',
      'float16',
      'bfloat16',
      'float64',
      'float8_e4m3',
      'float8_e5m2',
    ]);
    expect(() => byteSize('complex64' as DType)).toThrow(/expected one of float32, .*received "complex64"/);
  });
});

describe('convert', () => {
  it('returns the same array for the same dtype', () => {
    const data = Float32Array.of(1);
    expect(convert(data, 'float32', 'float32')).toBe(data);
  });

  it('keeps integers that every dtype can hold through every pair of dtypes', () => {
    const small = [0, 1, 2, 3, 8, 96, 112];
    for (const from of storageDTypes) {
      for (const to of storageDTypes) {
        const stored = convert(Int32Array.from(small), 'int32', from);
        const converted = convert<StorageDType, StorageDType>(stored, from, to);
        expect(isArrayOf(to, converted), `${from} to ${to}`).toBe(true);
        const back = [...convert<StorageDType, 'float64'>(converted, to, 'float64')];
        const asBool = from === 'bool' || to === 'bool';
        expect(back, `${from} to ${to}`).toEqual(asBool ? [0, 1, 1, 1, 1, 1, 1] : small);
      }
    }
  });

  it('truncates floats towards zero and clamps them to integers', () => {
    const data = Float64Array.of(-1.9, 1.9, 300, -300, 1e20, -1e20, Number.NaN, Number.POSITIVE_INFINITY);
    expect([...convert(data, 'float64', 'int8')]).toEqual([-1, 1, 127, -128, 127, -128, 0, 127]);
    expect([...convert(data, 'float64', 'uint8')]).toEqual([0, 1, 255, 0, 255, 0, 0, 255]);
    expect([...convert(data, 'float64', 'int32')]).toEqual([-1, 1, 300, -300, 2147483647, -2147483648, 0, 2147483647]);
    const greatest = 2n ** 63n - 1n;
    expect([...convert(data, 'float64', 'int64')]).toEqual([
      -1n,
      1n,
      300n,
      -300n,
      greatest,
      -(2n ** 63n),
      0n,
      greatest,
    ]);
    expect([...convert(data, 'float64', 'uint64')]).toEqual([0n, 1n, 300n, 0n, 2n ** 64n - 1n, 0n, 0n, 2n ** 64n - 1n]);
    expect([...convert(Float64Array.of(2 ** 63), 'float64', 'uint64')]).toEqual([2n ** 63n]);
  });

  it('keeps the low bits of integers that are too wide', () => {
    expect([...convert(Int32Array.of(-1, 257, 65536), 'int32', 'uint8')]).toEqual([255, 1, 0]);
    expect([...convert(BigInt64Array.of(-1n, 2n ** 32n + 5n, -(2n ** 31n) - 1n), 'int64', 'int32')]).toEqual([
      -1, 5, 2147483647,
    ]);
    expect([...convert(BigInt64Array.of(-1n), 'int64', 'uint64')]).toEqual([2n ** 64n - 1n]);
    expect([...convert(Int32Array.of(-5), 'int32', 'int64')]).toEqual([-5n]);
    expect([...convert(Uint32Array.of(2 ** 32 - 1), 'uint32', 'int64')]).toEqual([2n ** 32n - 1n]);
  });

  it('reads 64-bit integers as the nearest float', () => {
    const data = BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 53n, 123456789012345n, -4294967297n);
    expect([...convert(data, 'int64', 'float64')]).toEqual([-(2 ** 63), -1, 2 ** 53, 123456789012345, -4294967297]);
    expect([...convert(BigUint64Array.of(2n ** 63n), 'uint64', 'float32')]).toEqual([2 ** 63]);
  });

  it('takes everything but zero for true', () => {
    expect([...convert(Float32Array.of(0, -0, 0.1, Number.NaN), 'float32', 'bool')]).toEqual([0, 0, 1, 1]);
    expect([...convert(BigInt64Array.of(0n, -1n), 'int64', 'bool')]).toEqual([0, 1]);
    expect([...convert(Uint16Array.of(0x8000, 0x0001), 'float16', 'bool')]).toEqual([0, 1]);
  });

  it('converts views into larger buffers', () => {
    const view = BigInt64Array.of(9n, 1n, 2n).subarray(1);
    expect([...convert(view, 'int64', 'float32')]).toEqual([1, 2]);
    expect([...convert(view, 'int64', 'int32')]).toEqual([1, 2]);
  });
});
