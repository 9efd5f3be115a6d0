import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DType } from '../../src/dtype.js';
import type { Engine } from '../../src/engine/engine.js';
import { startReferenceEngine } from '../../src/engine/reference/reference-engine.js';
import { EngineError } from '../../src/errors.js';
import {
  abs,
  argMax,
  cast,
  div,
  max,
  maximum,
  minimum,
  neg,
  pow,
  relu,
  round,
  sign,
  softmax,
  topK,
} from '../../src/index.js';
import type { Tensor } from '../../src/tensor.js';
import { gradientOf } from '../support/central-differences.js';
import { numbersOf } from '../support/close.js';
import { comparedEngines, runOn, type TensorFunction } from '../support/engines.js';
import { given, materialize } from '../support/host-tensor.js';

// What is agreed where several answers would be possible, in numbers.
describe.each([['reference', () => startReferenceEngine()] as const, ...comparedEngines])('on %s', (_name, start) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await start();
  });
  afterAll(async () => {
    await engine?.close();
  });

  async function values(
    fn: TensorFunction,
    inputs: readonly (readonly number[])[],
    dtype: DType = 'float32',
  ): Promise<number[]> {
    const [result] = await runOn(engine, fn, materialize(inputs.map((each) => given([each.length], each, dtype))));
    return numbersOf(result!);
  }

  /** Gradients of Σ fn(inputs) with respect to all inputs, one after the other. */
  async function gradient(fn: TensorFunction, inputs: readonly (readonly number[])[]): Promise<number[]> {
    const hosts = materialize(inputs.map((each) => given([each.length], each)));
    const [output] = await runOn(engine, fn, hosts);
    const ones = { ...output!, data: new Float32Array(output!.data.length).fill(1) };
    const withRespectTo = inputs.map((_, index) => index);
    const results = await runOn(engine, gradientOf(fn, inputs.length, withRespectTo), [...hosts, ones]);
    return results.flatMap(numbersOf);
  }

  test('integer quotients round toward zero', async () => {
    expect(
      await values(
        (a, b) => div(a!, b!),
        [
          [7, -7, 7, -7],
          [2, 2, -2, -2],
        ],
        'int32',
      ),
    ).toEqual([3, -3, -3, 3]);
  });

  test('an integer is not divided by 0', async () => {
    await expect(values((a, b) => div(a!, b!), [[1], [0]], 'int32')).rejects.toThrow(EngineError);
    expect(
      await values(
        (a, b) => div(a!, b!),
        [
          [1, -1],
          [0, 0],
        ],
      ),
    ).toEqual([Infinity, -Infinity]);
  });

  test('halves are rounded to the even neighbour', async () => {
    expect((await values((x) => round(x!), [[-2.5, -1.5, 0.5, 1.5, 2.5]])).map((x) => x + 0)).toEqual([
      -2, -2, 0, 2, 2,
    ]);
  });

  test('casts to integers drop the fraction', async () => {
    expect(await values((x) => cast(x!, 'int32'), [[-1.9, -0.5, 1.9]])).toEqual([-1, 0, 1]);
  });

  test('casts to bool are true for anything but zero', async () => {
    expect(await values((x) => cast(x!, 'bool'), [[-256, 0.25, 0, 512]])).toEqual([1, 1, 0, 1]);
  });

  test('the gradients of relu and abs are 0 at 0', async () => {
    expect(await gradient((x) => relu(x!), [[-1, 0, 2]])).toEqual([0, 0, 1]);
    expect((await gradient((x) => abs(x!), [[-1, 0, 2]])).map((x) => x + 0)).toEqual([-1, 0, 1]);
    expect(await gradient((x) => sign(x!), [[-1, 0, 2]])).toEqual([0, 0, 0]);
  });

  test('equal operands of maximum and minimum share the gradient', async () => {
    expect(
      await gradient(
        (a, b) => maximum(a!, b!),
        [
          [1, 2, 3],
          [1, 3, 2],
        ],
      ),
    ).toEqual([0.5, 0, 1, 0.5, 1, 0]);
    expect(
      await gradient(
        (a, b) => minimum(a!, b!),
        [
          [1, 2, 3],
          [1, 3, 2],
        ],
      ),
    ).toEqual([0.5, 1, 0, 0.5, 0, 1]);
  });

  test('equal largest elements share the gradient', async () => {
    expect(await gradient((x) => max(x!), [[4, 1, 4, 4, 2]])).toEqual([1 / 3, 0, 1 / 3, 1 / 3, 0].map(Math.fround));
  });

  test('the first of equal elements is the largest, and is ordered first', async () => {
    expect(await values((x) => argMax(x!), [[1, 5, 5, 2]])).toEqual([1]);
    expect(await values((x) => topK(x!, 4).indices, [[1, 5, 5, 1]])).toEqual([1, 2, 0, 3]);
    expect(await values((x) => topK(x!, 3, { largest: false }).indices, [[1, 5, 5, 1]])).toEqual([0, 3, 1]);
  });

  test('softmax gives −∞ no weight, and a row of −∞ alone no number', async () => {
    const [first, second] = await values((x) => softmax(x!), [[3, -Infinity]]);
    expect([first, second]).toEqual([1, 0]);
    expect(await values((x) => softmax(x!), [[-Infinity, -Infinity]])).toEqual([NaN, NaN]);
  });

  test('the gradient of a power is finite where the base is 0', async () => {
    expect(
      await gradient(
        (a: Tensor, b: Tensor) => pow(a, b),
        [
          [0, 0],
          [1, 2],
        ],
      ),
    ).toEqual([1, 0, 0, 0]);
  });

  test('negation keeps integers of 32 bits exact', async () => {
    expect(await values((x) => neg(x!), [[2147483647, -16777217]], 'int32')).toEqual([-2147483647, 16777217]);
  });
});
