import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  applyLora,
  ConfigError,
  Conv2d,
  cast,
  closeEngine,
  Linear,
  type LoraConfigInput,
  Module,
  matmul,
  mul,
  sum,
  tensor,
  useEngine,
  valueAndGrad,
} from '../../src/index.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';
import { ToyModel, trainAdapters } from './toy-model.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(closeEngine);

const ids = tensor([1, 3, 0, 6], undefined, 'int32');

/** Paths of the layers that have an adapter. */
function adapted(model: Module): string[] {
  return Object.keys(model.namedModules()).flatMap((path) => /^(.*)\.adapter$/.exec(path)?.[1] ?? []);
}

function applied(config: LoraConfigInput): string[] {
  const model = new ToyModel();
  applyLora(model, config);
  return adapted(model);
}

describe('applyLora', () => {
  test('adds scaling · B·A·x to a linear layer', async () => {
    const layer = new Linear(3, 2);
    layer.floatWeight.set(Float32Array.of(1, 0, -1, 2, 1, 0.5));
    layer.bias!.set(Float32Array.of(10, -10));
    const holder = new (class extends Module {
      readonly fc = layer;
    })();
    applyLora(holder, { targetModules: ['fc'], r: 2, loraAlpha: 6 });
    const { 'fc.adapter.lora_A.weight': a, 'fc.adapter.lora_B.weight': b } = holder.namedParameters();
    expect([a!.shape, b!.shape]).toEqual([
      [2, 3],
      [2, 2],
    ]);
    a!.set(Float32Array.of(1, 1, 1, 0, 1, -1));
    b!.set(Float32Array.of(1, 2, 0, -1));
    // A·x = (6, −1), B·(6, −1) = (4, 1), three times.
    await expectNumbers(layer.forward(tensor([[1, 2, 3]])), [8 + 12, -4.5 + 3]);
  });

  test('adds columns of A times Bᵀ to the rows of an embedding, without gradient for padding', async () => {
    const model = new ToyModel();
    const table = model.model.embed_tokens;
    const before = await numbersIn(table.forward(ids));
    applyLora(model, { targetModules: ['embed_tokens'], r: 2, loraAlpha: 4 });
    await expectNumbers(table.forward(ids), before);
    trainAdapters(model);
    const parameters = model.trainableParameters();
    const [a, b] = Object.values(parameters);
    expect(Object.keys(parameters)).toEqual([
      'model.embed_tokens.adapter.lora_embedding_A',
      'model.embed_tokens.adapter.lora_embedding_B',
    ]);
    const product = mul(matmul(a!, b!, { transposeA: true, transposeB: true }), 2); // [rows, width]
    const [wanted, products] = await Promise.all([numbersIn(table.weight), numbersIn(product)]);
    const expected = [1, 3, 0, 6].flatMap((id) =>
      Array.from({ length: 6 }, (_, i) => wanted[6 * id + i]! + products[6 * id + i]!),
    );
    await expectNumbers(table.forward(ids), expected);
    const { grads } = valueAndGrad(() => sum(table.forward(ids)), { a: a! });
    const gradient = await numbersIn(grads.a!);
    expect([gradient[0], gradient[7]]).toEqual([0, 0]);
    expect(Math.abs(gradient[1]!)).toBeGreaterThan(0.1);
  });

  test('changes nothing at first, and lets only the adapters train', async () => {
    const model = new ToyModel().initialize(1);
    const before = await numbersIn(model.forward(ids));
    const config = applyLora(model, { r: 4 });
    expect(config).toMatchObject({ r: 4, loraAlpha: 8, targetModules: ['q_proj', 'v_proj'], bias: 'none' });
    await expectNumbers(model.forward(ids), before, 6);
    const trainable = Object.entries(model.trainableParameters());
    expect(trainable).toHaveLength(3 * 2 * 2);
    expect(trainable.every(([name]) => /\.(q|v)_proj\.adapter\.lora_[AB]\.weight$/.test(name))).toBe(true);
    const { grads } = valueAndGrad(() => sum(model.forward(ids)), model.trainableParameters());
    const b = await numbersIn(grads['model.layers.1.self_attn.q_proj.adapter.lora_B.weight']!);
    expect(Math.max(...b.map(Math.abs))).toBeGreaterThan(1e-4);
  });

  test('starts A uniform ±1/√inputs, or N(0, 1/r²), by seed and path alone', async () => {
    const start = async (config: LoraConfigInput, seed: number, depth = 3) => {
      const model = new ToyModel({ width: 64, depth });
      applyLora(model, { r: 16, ...config }, { seed });
      const named = model.namedParameters();
      const path = 'model.layers.0.self_attn.q_proj.adapter';
      return Promise.all([numbersIn(named[`${path}.lora_A.weight`]!), numbersIn(named[`${path}.lora_B.weight`]!)]);
    };
    const [a, b] = await start({}, 5);
    expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
    expect(Math.max(...a.map(Math.abs))).toBeGreaterThan(0.12);
    expect(b.every((value) => value === 0)).toBe(true);
    expect((await start({ targetModules: ['q_proj'] }, 5, 1))[0]).toEqual(a);
    expect((await start({}, 6))[0]).not.toEqual(a);
    const [gaussian] = await start({ initLoraWeights: 'gaussian' }, 5);
    const deviation = Math.sqrt(gaussian.reduce((total, value) => total + value ** 2, 0) / gaussian.length);
    expect(deviation).toBeCloseTo(1 / 16, 2);
    const [, random] = await start({ initLoraWeights: false }, 5);
    expect(Math.max(...random.map(Math.abs))).toBeGreaterThan(0.2);
    expect(Math.max(...random.map(Math.abs))).toBeLessThanOrEqual(0.25);
  });

  test('divides by √r with useRslora', async () => {
    const model = new ToyModel();
    applyLora(model, { r: 4, loraAlpha: 6, useRslora: true, rankPattern: { 'layers\\.1\\..*v_proj': 9 } });
    const scalings = model.model.layers.map(
      ({ self_attn }) => (self_attn.v_proj.adapter as { scaling?: number }).scaling,
    );
    expect(scalings).toEqual([3, 2, 3]);
  });

  test('trains biases and whole modules as asked', () => {
    const trained = (config: LoraConfigInput) => {
      const model = new ToyModel({ depth: 1 });
      applyLora(model, { targetModules: ['q_proj'], ...config });
      return Object.keys(model.trainableParameters())
        .filter((name) => !name.includes('lora_'))
        .sort();
    };
    expect(trained({})).toEqual([]);
    expect(trained({ bias: 'lora_only' })).toEqual(['model.layers.0.self_attn.q_proj.bias']);
    expect(trained({ bias: 'all' })).toEqual([
      'model.layers.0.down_proj.bias',
      'model.layers.0.norm.bias',
      'model.layers.0.self_attn.q_proj.bias',
    ]);
    expect(trained({ modulesToSave: ['lm_head', 'norm'] })).toEqual([
      'lm_head.weight',
      'model.layers.0.norm.bias',
      'model.layers.0.norm.weight',
    ]);
  });

  test('leaves adapters on other layers as they are', () => {
    const model = new ToyModel({ depth: 1 });
    applyLora(model, { targetModules: ['q_proj'] });
    applyLora(model, { targetModules: ['v_proj'] });
    expect(Object.keys(model.trainableParameters())).toHaveLength(4);
  });

  test('freezes by pattern as usual', () => {
    const model = new ToyModel({ depth: 2 });
    applyLora(model, {});
    model.freeze(/layers\.0\..*\.adapter\./).unfreeze('lm_head');
    expect(Object.keys(model.trainableParameters()).map((name) => name.split('.')[2])).toEqual([
      '1',
      '1',
      '1',
      '1',
      undefined,
    ]);
  });
});

describe('targets', () => {
  const layer = (index: number, name: string) => `model.layers.${index}.${name}`;

  test('are names at the end of a path', () => {
    expect(applied({ targetModules: ['v_proj', 'down_proj'] })).toEqual(
      [0, 1, 2].flatMap((index) => [layer(index, 'self_attn.v_proj'), layer(index, 'down_proj')]),
    );
    expect(applied({ targetModules: ['self_attn.q_proj'] })).toHaveLength(3);
    expect(() => applied({ targetModules: ['_proj'] })).toThrow(ConfigError);
    expect(applied({ targetModules: ['model.layers.1.down_proj'] })).toEqual([layer(1, 'down_proj')]);
  });

  test('are a regular expression for the whole path', () => {
    expect(applied({ targetModules: '.*\\.[02]\\..*v_proj' })).toEqual([
      layer(0, 'self_attn.v_proj'),
      layer(2, 'self_attn.v_proj'),
    ]);
    expect(() => applied({ targetModules: 'v_proj' })).toThrow(ConfigError);
    expect(() => applied({ targetModules: '(v_proj' })).toThrow(/regular expressions, received \^\(\?:\(v_proj\)\$/);
  });

  test('are every linear layer but the output layer with all-linear', () => {
    expect(applied({ targetModules: 'all-linear' })).toEqual(
      [0, 1, 2].flatMap((index) => [
        layer(index, 'self_attn.q_proj'),
        layer(index, 'self_attn.v_proj'),
        layer(index, 'down_proj'),
      ]),
    );
  });

  test('are those of some layers, and not those excluded or trained as a whole', () => {
    expect(applied({ targetModules: ['down_proj'], layersToTransform: 1 })).toEqual([layer(1, 'down_proj')]);
    expect(applied({ targetModules: ['down_proj'], layersToTransform: [0, 2], layersPattern: 'layers' })).toEqual([
      layer(0, 'down_proj'),
      layer(2, 'down_proj'),
    ]);
    expect(() => applied({ targetModules: ['down_proj'], layersToTransform: 1, layersPattern: 'blocks' })).toThrow(
      ConfigError,
    );
    expect(applied({ targetModules: 'all-linear', excludeModules: ['self_attn.q_proj', 'v_proj'] })).toHaveLength(3);
    expect(applied({ targetModules: ['q_proj', 'lm_head'], modulesToSave: ['lm_head'] })).toHaveLength(3);
  });

  test('have ranks and alphas of their own', () => {
    const model = new ToyModel({ depth: 2 });
    applyLora(model, {
      r: 4,
      loraAlpha: 8,
      rankPattern: { 'layers.1.self_attn.q_proj': 2 },
      alphaPattern: { v_proj: 16, '.*q_proj': 10 },
    });
    const ranks = model.model.layers.map(({ self_attn: { q_proj, v_proj } }) =>
      [q_proj, v_proj].map(({ adapter }) => {
        const { rank, scaling } = adapter as unknown as { rank: number; scaling: number };
        return [rank, scaling];
      }),
    );
    expect(ranks).toEqual([
      [
        [4, 2.5],
        [4, 4],
      ],
      [
        [2, 5],
        [4, 4],
      ],
    ]);
  });
});

describe('applyLora refuses', () => {
  test.each<[string, LoraConfigInput, RegExp]>([
    ['an unknown field', { rank: 4 } as never, /unknown key "rank"/],
    ['a rank that is none', { r: 0 }, /r: .*received 0/],
    ['a rate of dropout that drops all', { loraDropout: 1 }, /loraDropout/],
    ['layers that do not exist', { targetModules: ['wqkv'] }, /match \["wqkv"\], received a ToyModel .*q_proj, v_proj/],
    ['modules to save that do not exist', { modulesToSave: ['score'] }, /a module score/],
    ['what is neither linear nor an embedding', { targetModules: ['norm'] }, /model\.layers\.0\.norm, a LayerNorm/],
  ])('%s', (_, config, message) => {
    const model = new ToyModel();
    expect(() => applyLora(model, config)).toThrow(message);
    expect(() => applyLora(model, config)).toThrow(ConfigError);
    expect(adapted(model)).toEqual([]);
    expect(Object.keys(model.trainableParameters())).toEqual(Object.keys(model.namedParameters()));
  });

  test('convolutions', () => {
    const model = new (class extends Module {
      readonly q_proj = new Conv2d(2, 2, 1);
    })();
    expect(() => applyLora(model, { targetModules: ['q_proj'] })).toThrow(/q_proj, a Conv2d/);
  });

  test('layers that have an adapter', () => {
    const model = new ToyModel();
    applyLora(model, { targetModules: ['v_proj'] });
    expect(() => applyLora(model, {})).toThrow(/self_attn\.v_proj, which has one\. Take it off with removeLora/);
    expect(adapted(model)).toHaveLength(3);
  });
});

test('an adapter gives the dtype it is given, and computes in that of its factors', async () => {
  const model = new ToyModel({ depth: 1 });
  applyLora(model, { targetModules: ['q_proj'] });
  trainAdapters(model);
  const { adapter } = model.model.layers[0]!.self_attn.q_proj;
  const x = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 6]);
  const low = adapter!.forward(cast(x, 'float16'));
  expect(low.dtype).toBe('float16');
  const values = await numbersIn(adapter!.forward(x));
  expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1);
  await expectNumbers(cast(low, 'float32'), values, 1);
});
