import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  applyLora,
  checkpoint,
  closeEngine,
  compile,
  GraphError,
  keyWords,
  type Linear,
  randomKey,
  streamKey,
  sum,
  type Tensor,
  tensor,
  trainingKey,
  useEngine,
  valueAndGrad,
  withTrainingKey,
} from '../../src/index.js';
import { numbersIn } from '../support/expect-numbers.js';
import { ToyModel, trainAdapters } from './toy-model.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(closeEngine);

const x = tensor(new Float32Array(2000).fill(1), [1, 2000]);

function wideModel(rate = 0.25): ToyModel {
  const model = new ToyModel({ width: 2000, rows: 3, depth: 2 });
  applyLora(model, { targetModules: ['q_proj', 'v_proj'], loraDropout: rate, r: 1, loraAlpha: 1 });
  for (const { self_attn } of model.model.layers) {
    for (const layer of [self_attn.q_proj, self_attn.v_proj]) {
      layer.floatWeight.set(new Float32Array(2000 * 2000));
      const { 'lora_A.weight': a, 'lora_B.weight': b } = layer.adapter!.namedParameters();
      a!.set(new Float32Array(2000).fill(1 / 2000));
      b!.set(new Float32Array(2000).fill(1));
    }
  }
  return model;
}

/** The share of the input that came through, of an adapter of averages. */
async function kept(layer: Linear, input: Tensor = x): Promise<number> {
  return (await numbersIn(layer.adapter!.forward(input)))[0]!;
}

describe('the dropout of adapters', () => {
  test('happens under a training key only, and keeps the mean', async () => {
    const { q_proj, v_proj } = wideModel().model.layers[0]!.self_attn;
    expect(await kept(q_proj)).toBeCloseTo(1, 5);
    const under = (seed: number, layer: Linear) =>
      withTrainingKey(streamKey(randomKey(seed)), () => layer.adapter!.forward(x));
    const [first, again, other, layer] = await Promise.all(
      [under(1, q_proj), under(1, q_proj), under(2, q_proj), under(1, v_proj)].map(
        async (y) => (await numbersIn(y))[0]!,
      ),
    );
    expect(first).not.toBeCloseTo(1, 4);
    expect(Math.abs(first! - 1)).toBeLessThan(0.1);
    expect(again).toBe(first);
    expect(new Set([first, other, layer]).size).toBe(3);
    expect(trainingKey()).toBeUndefined();
  });

  test('leaves the layer beside the adapter alone', async () => {
    const { q_proj } = wideModel(0.999).model.layers[0]!.self_attn;
    q_proj.bias!.set(new Float32Array(2000).fill(3));
    const y = withTrainingKey(streamKey(randomKey(1)), () => q_proj.forward(x));
    const adapted = withTrainingKey(streamKey(randomKey(1)), () => q_proj.adapter!.forward(x));
    expect((await numbersIn(y))[7]).toBeCloseTo(3 + (await numbersIn(adapted))[7]!, 5);
  });

  test('is drawn anew in every run of a compiled step', async () => {
    const { q_proj } = wideModel().model.layers[0]!.self_attn;
    const step = compile((input: Tensor, root: Tensor) =>
      withTrainingKey(streamKey(root), () => q_proj.adapter!.forward(input)),
    );
    const run = async (seed: number) => (await numbersIn(await step(x, tensor(keyWords(randomKey(seed))))))[0]!;
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });

  test('is the same where a checkpointed part is computed again', async () => {
    const model = new ToyModel({ width: 8, depth: 1 }).initialize(3);
    applyLora(model, { targetModules: ['q_proj', 'v_proj'], loraDropout: 0.5, r: 2 });
    trainAdapters(model);
    const input = tensor(
      Float32Array.from({ length: 32 }, (_, i) => Math.cos(i)),
      [4, 8],
    );
    const gradientsWith = async (wrap: (fn: (h: Tensor) => Tensor) => (h: Tensor) => Tensor) => {
      const value = withTrainingKey(streamKey(randomKey(1)), () =>
        sum(wrap((h) => model.model.layers[0]!.forward(h))(input)),
      );
      const { grads } = valueAndGrad(() => value, model.trainableParameters());
      return Promise.all(Object.values(grads).map(numbersIn));
    };
    const plain = await gradientsWith((fn) => fn);
    expect(plain.flat().some((gradient) => Math.abs(gradient) > 1e-3)).toBe(true);
    const again = await gradientsWith((fn) => checkpoint(fn));
    again.flat().forEach((gradient, index) => {
      expect(gradient).toBeCloseTo(plain.flat()[index]!, 5);
    });
  });

  test('cannot be meant for an async function', () => {
    expect(() => withTrainingKey(streamKey(randomKey(1)), async () => 1)).toThrow(GraphError);
    expect(trainingKey()).toBeUndefined();
  });

  test('ends where the function fails', () => {
    const fail = () => {
      throw new RangeError('no');
    };
    expect(() => withTrainingKey(streamKey(randomKey(1)), fail)).toThrow(RangeError);
    expect(trainingKey()).toBeUndefined();
  });
});
