import {
  ConfigError,
  closeEngine,
  compile,
  type EngineName,
  materialize,
  mean,
  Parameter,
  square,
  sub,
  type Tensor,
  tensor,
  useEngine,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdamW, type AdamWConfig, gradientClipper, type ParameterGroup } from '../../src/index.js';

function parameter(values: readonly number[]): Parameter {
  const created = new Parameter([values.length]);
  created.set(Float32Array.from(values));
  return created;
}

async function onEngine(values: readonly number[]): Promise<Tensor> {
  const x = sub(tensor(values), 0);
  await materialize([x]);
  return x;
}

const gradients = [
  [0.5, -1, 0.25],
  [0.1, 0.2, -3],
  [0, 0, 1],
];

/** The published rule in plain numbers. */
function expected(
  rule: 'torch' | 'transformers',
  start: readonly number[],
  decay: number,
  rates: readonly number[],
): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.98, 1e-3];
  return start.map((first, index) => {
    let [p, m, v] = [first, 0, 0];
    rates.forEach((rate, step) => {
      const g = gradients[step]![index]!;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const [c1, c2] = [1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)];
      if (rule === 'torch') {
        p *= 1 - rate * decay;
        p -= (rate / c1) * (m / (Math.sqrt(v) / Math.sqrt(c2) + epsilon));
      } else {
        p -= ((rate * Math.sqrt(c2)) / c1) * (m / (Math.sqrt(v) + epsilon));
        p *= 1 - rate * decay;
      }
    });
    return p;
  });
}

const config: AdamWConfig = { betas: [0.9, 0.98], epsilon: 1e-3 };

describe.each<EngineName>(['ort', 'reference'])('AdamW on %s', (engine) => {
  beforeAll(async () => {
    await useEngine(engine);
  });
  afterAll(closeEngine);

  const rates = [0, 0.1, 0.05];

  test.each(['torch', 'transformers'] as const)('follows the rule of %s by group', async (rule) => {
    const [a, b] = [parameter([1, -2, 3]), parameter([1, -2, 3])];
    const groups: ParameterGroup[] = [
      { parameters: { a }, weightDecay: 0.5 },
      { parameters: { b }, learningRateMultiplier: 2 },
    ];
    const optimizer = new AdamW(groups, { ...config, rule });
    for (const [step, learningRate] of rates.entries()) {
      const grads = { a: await onEngine(gradients[step]!), b: await onEngine(gradients[step]!) };
      await optimizer.update(grads, { learningRate });
    }
    const close = (actual: ArrayLike<number>, values: readonly number[]) => {
      for (const [index, value] of values.entries()) expect(actual[index]).toBeCloseTo(value, 5);
    };
    close((await a.data()) as Float32Array, expected(rule, [1, -2, 3], 0.5, rates));
    close(
      (await b.data()) as Float32Array,
      expected(
        rule,
        [1, -2, 3],
        0,
        rates.map((rate) => 2 * rate),
      ),
    );
    expect(optimizer.step).toBe(3);
  });

  test('updates parameters of one element and of none', async () => {
    const [one, scalar] = [new Parameter([1]), new Parameter([])];
    const optimizer = new AdamW([{ parameters: { one, scalar } }]);
    const grads = { one: await onEngine([2]), scalar: tensor(-2) };
    await optimizer.update(grads, { learningRate: 0.1 });
    expect((await one.data())[0]).toBeCloseTo(-0.1, 6);
    expect((await scalar.data())[0]).toBeCloseTo(0.1, 6);
  });

  test('gives back the gradients', async () => {
    const p = parameter([1, 2, 3]);
    const gradient = await onEngine([1, 1, 1]);
    await new AdamW([{ parameters: { p } }]).update({ p: gradient }, { learningRate: 0.1 });
    await expect(gradient.data()).rejects.toThrow(/buffer/);
  });
});

describe('AdamW', () => {
  afterAll(closeEngine);

  test('refuses what does not fit', async () => {
    const p = parameter([1, 2]);
    const optimizer = new AdamW([{ parameters: { p } }]);
    await expect(optimizer.update({}, { learningRate: 1 })).rejects.toThrow(/none for p/);
    await expect(optimizer.update({ p: tensor([1, 2]), q: tensor([1]) }, { learningRate: 1 })).rejects.toThrow(
      /q, which is not optimized/,
    );
    const wrong = {
      'exp_avg.p': { shape: [3], data: new Float32Array(3) },
      extra: { shape: [], data: new Float32Array(1) },
    };
    expect(() => optimizer.loadState({ step: 1, tensors: wrong })).toThrow(
      /missing exp_avg_sq\.p; unexpected extra; exp_avg\.p \[3\] instead of \[2\]/,
    );
    expect(() => new AdamW([{ parameters: { h: new Parameter([1], { dtype: 'float16' }) } }])).toThrow(
      /float32 parameters, received h of float16/,
    );
    expect(() => new AdamW([], { beta: 1 } as never)).toThrow(/unknown key "beta"/);
    expect(() => new AdamW([], { betas: [0.9, 1] })).toThrow(ConfigError);
    expect(() => new AdamW([], { rule: 'sgd' as never })).toThrow(/rule: .*"sgd"/);
  });

  test('goes on from a state to the same bytes', async () => {
    const start = parameter([1, -2, 3]);
    const whole = new AdamW([{ parameters: { p: start } }], config);
    const halfway = parameter([0, 0, 0]);
    let second: AdamW | undefined;
    for (const [step, values] of gradients.entries()) {
      if (step === 2) {
        halfway.set((await start.data()).slice());
        const { step: steps, tensors } = whole.state();
        const loaded = await Promise.all(
          Object.entries(tensors).map(
            async ([name, each]) => [name, { shape: each.shape, data: await each.data() }] as const,
          ),
        );
        second = new AdamW([{ parameters: { p: halfway } }], config);
        second.loadState({ step: steps, tensors: Object.fromEntries(loaded) });
      }
      await whole.update({ p: await onEngine(values) }, { learningRate: 0.1 });
    }
    await second!.update({ p: await onEngine(gradients[2]!) }, { learningRate: 0.1 });
    expect(await halfway.data()).toEqual(await start.data());
    expect(Object.keys(second!.state().tensors)).toEqual(['exp_avg.p', 'exp_avg_sq.p']);
  });

  test('is seen by the next run of a compiled step', async () => {
    const p = parameter([4]);
    const optimizer = new AdamW([{ parameters: { p } }]);
    const step = compile((target: Tensor) => valueAndGrad(() => mean(square(sub(p, target))), { p }));
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) {
      const { value, grads } = await step(tensor([1]));
      losses.push(await value.item());
      await optimizer.update(grads, { learningRate: 0.1 });
    }
    expect(losses[0]).toBe(9);
    expect(losses.at(-1)).toBeLessThan(0.1);
  });
});

describe('gradientClipper', () => {
  afterAll(closeEngine);

  const grads = () => ({
    a: tensor([
      [3, 0],
      [0, 0],
    ]),
    b: tensor([4]),
  });

  test('measures one norm over all gradients and limits it', async () => {
    const { norm, scale } = await gradientClipper({ maximumNorm: 1 })(grads());
    expect(await norm.item()).toBeCloseTo(5, 6);
    expect(await scale.item()).toBeCloseTo(1 / (5 + 1e-6), 7);
  });

  test('leaves small gradients alone', async () => {
    const clip = gradientClipper({ maximumNorm: 5.5 });
    expect(await (await clip(grads())).scale.item()).toBe(1);
    const unlimited = await gradientClipper({ maximumNorm: null })(grads());
    expect([await unlimited.norm.item(), await unlimited.scale.item()]).toEqual([5, 1]);
  });

  test('averages before it measures', async () => {
    const { norm, scale } = await gradientClipper({ maximumNorm: 1, factor: 0.5 })(grads());
    expect(await norm.item()).toBeCloseTo(2.5, 6);
    expect(await scale.item()).toBeCloseTo(0.5 / 2.5, 6);
    const unlimited = await gradientClipper({ maximumNorm: null, factor: 0.25 })(grads());
    expect(await unlimited.scale.item()).toBe(0.25);
  });

  test('keeps the results of a call through the next one', async () => {
    const clip = gradientClipper({ maximumNorm: null });
    const first = await clip(grads());
    await clip({
      a: tensor([
        [1, 0],
        [0, 0],
      ]),
      b: tensor([0]),
    });
    expect(await first.norm.item()).toBe(5);
  });

  test('refuses a limit that is not positive, and no gradients', async () => {
    expect(() => gradientClipper({ maximumNorm: 0 })).toThrow(ConfigError);
    await expect(gradientClipper({ maximumNorm: 1 })({})).rejects.toThrow(/at least one gradient/);
  });
});
