import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  add,
  cast,
  closeEngine,
  type DType,
  DTypeError,
  float32ToBfloat16,
  full,
  gelu,
  layerNorm,
  materialize,
  mul,
  ones,
  ShapeError,
  Tensor,
  tensor,
  useEngine,
  zeros,
} from '../src/index.js';
import { expectNumbers, numbersIn } from './support/expect-numbers.js';

describe('tensor', () => {
  test('takes its shape from nested arrays', async () => {
    const x = tensor([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]);
    expect([x.shape, x.dtype, x.size]).toEqual([[1, 3, 2], 'float32', 6]);
    expect(await x.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(tensor([[], []]).shape).toEqual([2, 0]);
  });

  test('makes a scalar of a number', async () => {
    expect(tensor(2.5).shape).toEqual([]);
    expect(await tensor(2.5).item()).toBe(2.5);
  });

  test('arranges typed arrays and nested arrays in a given shape', async () => {
    expect(tensor(Float32Array.of(1, 2, 3, 4)).shape).toEqual([4]);
    expect(tensor(Float32Array.of(1, 2, 3, 4), [2, 2]).shape).toEqual([2, 2]);
    expect(tensor([1, 2, 3, 4], [4, 1]).shape).toEqual([4, 1]);
  });

  test('takes its dtype from a typed array', () => {
    const dtypes = [Float32Array.of(1), Int32Array.of(1), BigInt64Array.of(1n), Uint8Array.of(1)].map(
      (data) => tensor(data).dtype,
    );
    expect(dtypes).toEqual(['float32', 'int32', 'int64', 'uint8']);
    expect(tensor(Uint8Array.of(1, 0), [2], 'bool').dtype).toBe('bool');
    expect(tensor(Uint16Array.of(0x3c00), [1], 'float16').dtype).toBe('float16');
  });

  test('refuses ragged arrays, with their shapes', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(ShapeError);
    expect(() => tensor([[1, 2], [3]])).toThrow(
      'tensor: expected nested arrays of equal lengths, received [2] and [1].',
    );
    expect(() => tensor([[[1]], [2]])).toThrow('received [1, 1] and [1]');
  });

  test('refuses a shape that the values do not fill', () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(
      'tensor: expected 3 values to fill a shape of as many elements, received [2, 2].',
    );
    expect(() => tensor(new Float32Array(4), [-2, -2])).toThrow(ShapeError);
    expect(() => tensor(new Float32Array(1), [0.5, 2])).toThrow(ShapeError);
  });

  test('refuses arrays of another type than the dtype', () => {
    expect(() => tensor(Int32Array.of(1), [1], 'float32')).toThrow(DTypeError);
    expect(() => tensor(Int32Array.of(1), [1], 'float32')).toThrow(
      'tensor: expected a Float32Array for dtype float32, received a Int32Array.',
    );
    expect(() => tensor(Float64Array.of(1))).toThrow(
      /expected a Float32Array, Int32Array, BigInt64Array or Uint8Array, or a dtype/,
    );
    expect(() => tensor(Uint16Array.of(1))).toThrow(DTypeError);
  });

  test.each<[DType, number]>([
    ['int32', 0.5],
    ['int32', 2 ** 31],
    ['int64', 2 ** 60],
    ['uint8', -1],
    ['uint8', 256],
    ['bool', 2],
    ['int32', Number.NaN],
  ])('refuses numbers that %s does not hold: %d', (dtype, value) => {
    expect(() => tensor([0, value], undefined, dtype)).toThrow(DTypeError);
    expect(() => tensor([0, value], undefined, dtype)).toThrow(`for dtype ${dtype}, received ${value}`);
  });

  test('refuses a fraction beside integers instead of dropping it', () => {
    expect(() => mul(tensor([1, 2], undefined, 'int32'), 0.5)).toThrow(
      'tensor: expected whole numbers between -2147483648 and 2147483647 for dtype int32, received 0.5. ' +
        'Use float32, or cast the other operand to it.',
    );
  });

  test('says what it is', () => {
    expect(String(tensor([[1, 2]]))).toBe('Tensor(float32 [1, 2])');
  });
});

describe.each(['ort', 'reference'] as const)('values on %s', (name) => {
  beforeAll(async () => {
    await useEngine(name);
  });
  afterAll(async () => {
    await closeEngine();
  });

  /** Through the engine and back, rather than from host memory. */
  async function roundTrip(x: Tensor) {
    const copy = new Tensor(x.shape, x.dtype, { kind: 'operation', op: 'stopGradient', inputs: [x], attributes: {} });
    await materialize([copy]);
    expect(copy.source.kind).toBe('device');
    return copy.data();
  }

  test.each([
    ['float32', Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, Number.NaN)],
    ['float16', Uint16Array.of(0x3c01, 0xfbff, 0x0001, 0x7c00)],
    ['bfloat16', Uint16Array.of(0x3f81, 0xff7f, 0x0080, 0x7f80)],
    ['int64', BigInt64Array.of(2n ** 52n, -(2n ** 52n), 0n, -1n)],
    ['int32', Int32Array.of(2147483647, -2147483648, 0, -1)],
    ['uint8', Uint8Array.of(0, 1, 128, 255)],
    ['bool', Uint8Array.of(0, 1, 1, 0)],
  ] as const)('of dtype %s come back as they were', async (dtype, data) => {
    expect(await roundTrip(tensor(data, [2, 2], dtype))).toEqual(data);
  });

  test('of more than small size do so too', async () => {
    const data = BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(i) * 2n ** 33n);
    expect(await roundTrip(tensor(data, [10, 100]))).toEqual(data);
  });

  test('of 64 bits are exact beyond 32', async () => {
    expect(await add(tensor(BigInt64Array.of(2n ** 40n)), 1).item()).toBe(2 ** 40 + 1);
  });

  test('are read one at a time', async () => {
    expect(await tensor([[7]], undefined, 'int64').item()).toBe(7);
    expect(await tensor([1], undefined, 'bool').item()).toBe(1);
    expect(await cast(tensor([2.5]), 'float16').item()).toBe(2.5);
    expect(await cast(tensor([2.5]), 'bfloat16').item()).toBe(2.5);
    await expect(tensor([1, 2]).item()).rejects.toThrow('item: expected a tensor of one element, received [2].');
  });

  test('may be stored in 16 bits and computed in 32', async () => {
    const x = tensor([1 / 3, -1000.4, 65519, 1e-8]);
    await expectNumbers(cast(cast(x, 'float16'), 'float32'), [0.333251953125, -1000.5, 65504, 0], 12);
    const stored = cast(x, 'bfloat16');
    expect(await stored.data()).toEqual(float32ToBfloat16((await x.data()) as Float32Array));
    await expectNumbers(cast(stored, 'float32'), [0.333984375, -1000, 65536, 1.0011717677116394e-8], 12);
  });

  test('of float16 compute with plain numbers', async () => {
    const x = cast(tensor([[1, 2, 4, 8]]), 'float16');
    const y = layerNorm(gelu(mul(x, 0.5)));
    expect(y.dtype).toBe('float16');
    const exact = await numbersIn(layerNorm(gelu(tensor([[0.5, 1, 2, 4]]))));
    await expectNumbers(cast(y, 'float32'), exact, 2);
    expect(await full([2], 1.5, 'float16').data()).toEqual(Uint16Array.of(0x3e00, 0x3e00));
  });

  test('that are equal take no memory until they are needed', async () => {
    expect(full([2 ** 20, 2 ** 20], 3).size).toBe(2 ** 40);
    await expectNumbers(add(ones([2, 2]), zeros([2, 2])), [1, 1, 1, 1]);
    expect(await zeros([2], 'int64').data()).toEqual(BigInt64Array.of(0n, 0n));
    expect(await ones([2], 'bool').data()).toEqual(Uint8Array.of(1, 1));
  });

  test('may be none', async () => {
    const empty = tensor(new Float32Array(0), [0, 3]);
    expect(await add(empty, 1).data()).toEqual(new Float32Array(0));
  });

  test('of scalars broadcast whatever their number of axes', async () => {
    expect(add(tensor([[[1]]]), tensor([1, 2])).shape).toEqual([1, 1, 2]);
    await expectNumbers(add(tensor([[[1]]]), tensor([1, 2])), [2, 3]);
    await expectNumbers(add(tensor([[1]]), tensor(2)), [3]);
    await expectNumbers(
      mul(
        tensor([[2]]),
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
      [2, 4, 6, 8],
    );
  });
});
