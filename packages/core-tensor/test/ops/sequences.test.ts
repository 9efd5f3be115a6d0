import { describe, expect, test } from 'vitest';
import { ConfigError, DTypeError } from '../../src/errors.js';
import {
  applyRotary,
  crossEntropy,
  dropout,
  dropPath,
  embedding,
  foldStream,
  inverseFrequencies,
  mul,
  ones,
  randomKey,
  randomNormal,
  randomUniform,
  rotaryTables,
  stopGradient,
  streamKey,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { relativeError } from '../support/close.js';
import { counting, gradientsOf, random, valuesOf } from '../support/reference.js';

const key = streamKey(randomKey(11));

describe('rotary positions', () => {
  test('rotate pairs half a head apart by their angle', async () => {
    const positions = [0, 1, 7];
    const x = random(1, 1, 3, 4);
    const tables = rotaryTables(tensor(Int32Array.from(positions), [1, 3]), tensor(inverseFrequencies(4, 100)));
    expect(tables.cos.shape).toEqual([1, 1, 3, 2]);
    const [actual] = await valuesOf(applyRotary(x.x, tables));
    const expected = positions.flatMap((position, t) => {
      const angle = (pair: number) => position * 100 ** (-pair / 2);
      const first = [0, 1].map(
        (pair) => x.at(0, 0, t, pair) * Math.cos(angle(pair)) - x.at(0, 0, t, pair + 2) * Math.sin(angle(pair)),
      );
      const second = [0, 1].map(
        (pair) => x.at(0, 0, t, pair + 2) * Math.cos(angle(pair)) + x.at(0, 0, t, pair) * Math.sin(angle(pair)),
      );
      return [...first, ...second];
    });
    expect(relativeError(actual!, expected)).toBeLessThan(1e-6);
  });
});

describe('embedding', () => {
  const ids = tensor(Int32Array.of(2, 0, 2), [3]);
  const table = { shape: [3, 2], dtype: 'float32' as const, data: Float32Array.of(1, 2, 3, 4, 5, 6) };

  test('reads rows, and adds up the gradients of equal ids', async () => {
    expect(await valuesOf(embedding(ids, tensor(table.data, [3, 2])))).toEqual([[5, 6, 1, 2, 5, 6]]);
    expect(await gradientsOf((rows: Tensor) => embedding(ids, rows), [table])).toEqual([[1, 1, 0, 0, 2, 2]]);
  });

  test('gives the padding row no gradient', async () => {
    expect(await valuesOf(embedding(ids, tensor(table.data, [3, 2]), { paddingIndex: 0 }))).toEqual([
      [5, 6, 1, 2, 5, 6],
    ]);
    expect(await gradientsOf((rows: Tensor) => embedding(ids, rows, { paddingIndex: 0 }), [table])).toEqual([
      [0, 0, 0, 0, 2, 2],
    ]);
  });
});

test('stopGradient takes a factor for a constant', async () => {
  const x = { shape: [2], dtype: 'float32' as const, data: Float32Array.of(3, -2) };
  expect(await gradientsOf((t: Tensor) => mul(t, stopGradient(mul(t, t))), [x])).toEqual([[9, 4]]);
});

describe('cross-entropy', () => {
  test('of equal logits is the logarithm of the number of classes', async () => {
    const targets = tensor(Int32Array.of(1, -100, 0), [3]);
    const [averaged, summed, single] = await valuesOf(
      crossEntropy(ones([3, 4]), targets),
      crossEntropy(ones([3, 4]), targets, { reduction: 'sum' }),
      crossEntropy(ones([3, 4]), targets, { reduction: 'none' }),
    );
    expect(averaged![0]).toBeCloseTo(Math.log(4), 6);
    expect(summed![0]).toBeCloseTo(2 * Math.log(4), 6);
    expect(single!.map((x) => x > 0)).toEqual([true, false, true]);
  });

  test('smooths targets evenly', async () => {
    const logits = [2, -1, 0.5];
    const logTotal = Math.log(logits.reduce((s, x) => s + Math.exp(x), 0));
    const expected = logits.reduce((s, x, i) => s - ((i === 2 ? 0.7 : 0) + 0.1) * (x - logTotal), 0);
    const [actual] = await valuesOf(crossEntropy(tensor([logits]), tensor(Int32Array.of(2)), { labelSmoothing: 0.3 }));
    expect(actual![0]).toBeCloseTo(expected, 6);
  });

  test('refuses targets that are no integers', () => {
    expect(() => crossEntropy(ones([2, 3]), ones([2]))).toThrow(DTypeError);
    expect(() => crossEntropy(ones([2, 3]), ones([2]))).toThrow(
      'crossEntropy: expected int32 or int64 targets, received float32.',
    );
  });
});

describe('random numbers', () => {
  test('are the same for the same key, others for another', async () => {
    const [a, b, c] = await valuesOf(
      randomUniform(key, [8]),
      randomUniform(key, [8]),
      randomUniform(foldStream(key, 1), [8]),
    );
    expect(a).toEqual(b);
    expect(a!.filter((x, i) => x === c![i])).toEqual([]);
    expect(a!.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  test('are normal', async () => {
    const [x] = await valuesOf(randomNormal(key, [20000]));
    const mean = x!.reduce((s, value) => s + value, 0) / x!.length;
    const variance = x!.reduce((s, value) => s + (value - mean) ** 2, 0) / x!.length;
    const beyondTwo = x!.filter((value) => Math.abs(value) > 2).length / x!.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
    expect(beyondTwo).toBeCloseTo(0.0455, 2);
  });

  test('drop their share of elements and scale the others', async () => {
    const [x] = await valuesOf(dropout(ones([10000]), { rate: 0.3, key }));
    expect(new Set(x)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
    expect(x!.filter((value) => value === 0).length / x!.length).toBeCloseTo(0.3, 1);
  });

  test('drop whole samples', async () => {
    const [x] = await valuesOf(dropPath(ones([2000, 2, 3]), { rate: 0.5, key }));
    const samples = Array.from({ length: 2000 }, (_, n) => x!.slice(6 * n, 6 * n + 6));
    expect(samples.every((sample) => new Set(sample).size === 1)).toBe(true);
    expect(samples.filter(([first]) => first === 0).length / 2000).toBeCloseTo(0.5, 1);
  });

  test('drop nothing without a key or at rate 0', () => {
    const x = counting(3);
    expect(dropout(x, { rate: 0.5 })).toBe(x);
    expect(dropPath(x, { rate: 0, key })).toBe(x);
  });

  test('refuse rates that drop everything', () => {
    expect(() => dropout(counting(3), { rate: 1, key })).toThrow(ConfigError);
    expect(() => dropPath(counting(3), { rate: Number.NaN, key })).toThrow(
      'dropPath: expected a rate in [0, 1), received NaN.',
    );
  });
});
