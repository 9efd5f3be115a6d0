import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  add,
  closeEngine,
  compile,
  type Engine,
  EngineError,
  Linear,
  mul,
  structureChanged,
  sum,
  type Tensor,
  tensor,
  updateSlice,
  useEngine,
} from '../src/index.js';
import { expectNumbers } from './support/expect-numbers.js';

const at = (place: number) => tensor(Int32Array.of(place), []);

/** The buffer behind a computed tensor. */
function bufferOf({ source }: Tensor): unknown {
  return source.kind === 'device' ? source.buffer : undefined;
}

describe.each(['ort', 'reference', 'tfjs'] as const)('a compiled function on %s', (name) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await useEngine(name);
  });
  afterAll(async () => {
    await closeEngine();
  });

  const append = (cache: Tensor, value: Tensor, place: Tensor) => {
    const fresh = mul(value, 10);
    return { cache: updateSlice(cache, fresh, place, 0), seen: add(sum(cache), sum(fresh)) };
  };

  test('writes a slice into a donated argument, and reads what was there before', async () => {
    const step = compile(append, { donate: [0] });
    const first = await step(mul(tensor([1, 1, 1]), 1), tensor([2]), at(1));
    await expectNumbers(first.cache, [1, 20, 1]);
    await expectNumbers(first.seen, [23]);
    const second = await step(first.cache, tensor([3]), at(2));
    await expectNumbers(second.cache, [1, 20, 30]);
    await expectNumbers(second.seen, [52]);
    expect(bufferOf(second.cache)).toBe(bufferOf(first.cache));
  });

  test('leaves arguments that were not donated, and host values, as they are', async () => {
    const step = compile(append);
    const start = await compile((x: Tensor) => add(x, 0))(tensor([1, 2, 3]));
    await expectNumbers((await step(start, tensor([4]), at(0))).cache, [40, 2, 3]);
    await expectNumbers(start, [1, 2, 3]);
    const host = tensor([5, 5, 5]);
    const donating = compile(append, { donate: [0] });
    await expectNumbers((await donating(host, tensor([1]), at(1))).cache, [5, 10, 5]);
    await expectNumbers(host, [5, 5, 5]);
  });

  test('donates an argument to one result only', async () => {
    const both = compile(
      (x: Tensor, value: Tensor) => [updateSlice(x, value, at(0), 0), updateSlice(x, value, at(1), 0)] as const,
      { donate: [0] },
    );
    const [first, second] = await both(await compile((x: Tensor) => add(x, 0))(tensor([1, 2])), tensor([9]));
    await expectNumbers(first, [9, 2]);
    await expectNumbers(second, [1, 9]);
  });

  test('uses the updated value where the function goes on with it', async () => {
    const step = compile(
      (x: Tensor, value: Tensor) => {
        const updated = updateSlice(x, value, at(1), 0);
        return { updated, total: sum(updated) };
      },
      { donate: [0] },
    );
    const { updated, total } = await step(await compile((x: Tensor) => add(x, 0))(tensor([1, 2])), tensor([5]));
    await expectNumbers(updated, [1, 5]);
    await expectNumbers(total, [6]);
  });

  test.each([-1, 3])('refuses a slice at %i of 3 places', async (place) => {
    const step = compile(append, { donate: [0] });
    await expect(step(tensor([1, 1, 1]), tensor([2]), at(place))).rejects.toThrow(EngineError);
    await expect(step(tensor([1, 1, 1]), tensor([2]), at(place))).rejects.toThrow(
      /updateSlice.*a start between 0 and 2, for 1 of 3 places.*-?\d/s,
    );
  });

  test('follows frozen parameters that it refers to', async () => {
    const layer = new Linear(2, 1);
    layer.freeze();
    const traced = vi.fn((x: Tensor) => layer.forward(x));
    const forward = compile(traced, { frozen: 'reference' });
    const set = (weight: readonly number[]) => {
      layer.floatWeight.set(Float32Array.from(weight));
      layer.bias!.set(Float32Array.of(1));
    };
    set([1, 2]);
    await expectNumbers(await forward(tensor([[1, 1]])), [4]);
    set([3, 4]);
    await expectNumbers(await forward(tensor([[1, 1]])), [8]);
    layer.unfreeze();
    await expectNumbers(await forward(tensor([[2, 1]])), [11]);
    expect(traced).toHaveBeenCalledTimes(1);
  });

  test('is traced anew when a module changed its structure', async () => {
    const layer = new Linear(1, 1, { bias: false });
    layer.floatWeight.set(Float32Array.of(2));
    const added = new Linear(1, 1, { bias: false });
    added.floatWeight.set(Float32Array.of(5));
    const forward = compile((x: Tensor) => layer.forward(x));
    await expectNumbers(await forward(tensor([[1]])), [2]);
    layer.setAdapter(added);
    await expectNumbers(await forward(tensor([[1]])), [7]);
    layer.setAdapter(undefined);
    structureChanged();
    await expectNumbers(await forward(tensor([[1]])), [2]);
    expect(engine.name).toBe(name);
  });
});
