import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  add,
  closeEngine,
  compileUpdates,
  div,
  type EngineName,
  mul,
  Parameter,
  sqrt,
  sub,
  type Tensor,
  tensor,
  useEngine,
} from '../../../src/index.js';
import { deviceUnderTest } from './software-engine.js';

const device = await deviceUnderTest();

/** An optimizer's step: three results over three of its arguments. */
const step = compileUpdates((inputs) => {
  const [weight, gradient, first, second, rate] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const nextFirst = add(mul(first, 0.9), mul(gradient, 0.1));
  const nextSecond = add(mul(second, 0.99), mul(mul(gradient, gradient), 0.01));
  return [sub(weight, mul(rate, div(nextFirst, add(sqrt(nextSecond), 1e-3)))), nextFirst, nextSecond];
});

async function optimize(engine: EngineName): Promise<number[][]> {
  await useEngine(engine);
  const shapes = [[5, 7], [7], [], [5, 7], [33]];
  const wave = (size: number, by: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + by));
  const weights = shapes.map((shape, index) => {
    const weight = new Parameter(shape);
    weight.set(wave(weight.size, index));
    return weight;
  });
  const moments = weights.map(({ shape }) => [new Parameter(shape), new Parameter(shape)] as const);
  for (let round = 0; round < 4; round++) {
    const rate = tensor(0.1 / (round + 1));
    await step(
      weights.map((weight, index) => {
        const gradient = tensor(wave(weight.size, round + 10 * index), weight.shape);
        const held = [weight, ...moments[index]!];
        return { inputs: [weight, gradient, ...moments[index]!, rate], into: held };
      }),
    );
  }
  const values = [...weights, ...moments.flat()].map(async (each) => Array.from(await each.data(), Number));
  return Promise.all(values);
}

describe.skipIf('skipped' in device)('updates of many tensors in one program', () => {
  beforeAll(() => {
    if ('search' in device && device.settings) process.env.OCELLI_CUDA_LIBRARIES = device.search.searched[0]!.path;
  });
  afterAll(async () => {
    await closeEngine();
    delete process.env.OCELLI_CUDA_LIBRARIES;
  });

  test('write over their arguments, whatever their sizes', async () => {
    const expected = await optimize('reference');
    await closeEngine();
    const actual = await optimize('cuda');
    actual.forEach((values, index) => {
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[index]![i]!, 5);
      });
    });
  });
});
