import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  add,
  closeEngine,
  compile,
  compileUpdate,
  dispose,
  EngineError,
  type EngineName,
  GraphError,
  materialize,
  mul,
  Parameter,
  sub,
  sum,
  type Tensor,
  tensor,
  useEngine,
  zeros,
} from '../../src/index.js';

function parameter(...values: readonly number[]): Parameter {
  const created = new Parameter([values.length]);
  created.set(Float32Array.from(values));
  return created;
}

async function onEngine(x: Tensor): Promise<Tensor> {
  await materialize([x]);
  return x;
}

describe.each<EngineName>(['ort', 'reference'])('compileUpdate on %s', (name) => {
  beforeEach(async () => {
    await useEngine(name);
  });
  afterEach(closeEngine);
  afterAll(closeEngine);

  const descend = compileUpdate(([p, g, rate]) => [sub(p!, mul(g!, rate!))]);

  test('writes over a parameter and tells its version', async () => {
    const weight = parameter(1, 2, 3);
    const before = weight.version;
    const { done } = await descend([weight, tensor([10, 20, 30]), tensor(0.5)], [weight]);
    await done;
    expect([...(await weight.data())]).toEqual([-4, -8, -12]);
    expect(weight.version).toBe(before + 1);
  });

  test('takes effect for what is computed afterwards, before it is waited for', async () => {
    const weight = parameter(1, 1);
    await descend([weight, tensor([1, 2]), tensor(1)], [weight]);
    await descend([weight, tensor([1, 2]), tensor(1)], [weight]);
    expect(await sum(weight).item()).toBe(-4);
  });

  test('is seen by programs that hold the parameter as a constant', async () => {
    const weight = parameter(1, 1);
    weight.requiresGrad = false;
    const read = compile((x: Tensor) => add(x, weight));
    expect([...(await (await read(tensor([0, 0]))).data())]).toEqual([1, 1]);
    await descend([weight, tensor([1, 2]), tensor(1)], [weight]);
    expect([...(await (await read(tensor([0, 0]))).data())]).toEqual([0, -1]);
    const readAnew = compile((x: Tensor) => add(x, weight));
    expect([...(await (await readAnew(tensor([0, 0]))).data())]).toEqual([0, -1]);
  });

  test('fills a tensor with what is not elementwise, and refuses to do so over an input', async () => {
    const total = compileUpdate(([x]) => [sum(x!)]);
    const result = await onEngine(zeros([]));
    await total([tensor([1, 2, 3])], [result]);
    expect(await result.item()).toBe(6);
    const scalar = await onEngine(tensor([5]));
    await expect(total([scalar], [scalar])).rejects.toThrow(GraphError);
  });

  test('gives back the memory of what it consumes', async () => {
    const weight = parameter(1, 1);
    const gradient = await onEngine(add(tensor([1, 2]), 1));
    await descend([weight, gradient, tensor(1)], [weight], { consume: [gradient] });
    expect([...(await weight.data())]).toEqual([-1, -2]);
    await expect(gradient.data()).rejects.toThrow(EngineError);
  });

  test('refuses a target that only the host holds', async () => {
    const x = tensor([1, 2]);
    await expect(descend([x, tensor([1, 2]), tensor(1)], [x])).rejects.toThrow(/targets that the \w+ engine holds/);
  });

  test('dispose leaves parameters and host values alone', async () => {
    const weight = parameter(4);
    const host = tensor([4]);
    await weight.data();
    dispose([weight, host]);
    expect([...(await weight.data()), ...(await host.data())]).toEqual([4, 4]);
  });
});
