import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  applyLora,
  ConfigError,
  closeEngine,
  compile,
  isLoraMerged,
  mergeLora,
  Parameter,
  removeLora,
  type Tensor,
  tensor,
  unmergeLora,
  useEngine,
} from '../../src/index.js';
import { QuantizedWeight } from '../../src/quantization/quantized-weight.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';
import { ToyModel, trainAdapters } from './toy-model.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(closeEngine);

const ids = tensor([1, 3, 0, 6], undefined, 'int32');

function adaptedModel(): ToyModel {
  const model = new ToyModel().initialize(2);
  applyLora(model, { targetModules: ['q_proj', 'embed_tokens'], r: 2, loraAlpha: 3 });
  trainAdapters(model);
  return model;
}

describe('mergeLora', () => {
  test('puts the products into the weights, and unmergeLora takes them out', async () => {
    const model = adaptedModel();
    const names = Object.keys(model.namedParameters());
    const weight = model.model.layers[1]!.self_attn.q_proj.floatWeight;
    const [plain, base] = [await numbersIn(model.forward(ids)), await numbersIn(weight)];
    const { 'model.layers.1.self_attn.q_proj.adapter.lora_A.weight': a, ...others } = model.namedParameters();
    const b = others['model.layers.1.self_attn.q_proj.adapter.lora_B.weight']!;
    const [left, right] = [await numbersIn(b), await numbersIn(a!)];

    await mergeLora(model);
    expect(isLoraMerged(model)).toBe(true);
    expect(Object.keys(model.namedParameters())).toEqual(names.filter((name) => !name.includes('lora_')));
    await expectNumbers(model.forward(ids), plain, 4);
    const product = base.map((value, index) => {
      const [row, column] = [Math.floor(index / 6), index % 6];
      return value + 1.5 * (left[2 * row]! * right[column]! + left[2 * row + 1]! * right[6 + column]!);
    });
    await expectNumbers(weight, product);

    await unmergeLora(model);
    expect(isLoraMerged(model)).toBe(false);
    expect(Object.keys(model.namedParameters())).toEqual(names);
    await expectNumbers(weight, base, 6);
    await expectNumbers(model.forward(ids), plain, 4);
  });

  test('is seen by compiled functions, as is every change of adapters', async () => {
    const model = new ToyModel().initialize(2);
    const run = compile((x: Tensor) => model.forward(x));
    const base = await numbersIn(await run(ids));
    applyLora(model, { targetModules: ['q_proj'], r: 2 });
    trainAdapters(model);
    const adapted = await numbersIn(await run(ids));
    expect(Math.max(...adapted.map((value, index) => Math.abs(value - base[index]!)))).toBeGreaterThan(0.01);
    await mergeLora(model);
    await expectNumbers(await run(ids), adapted, 4);
    await unmergeLora(model);
    await expectNumbers(await run(ids), adapted, 4);
    removeLora(model);
    await expectNumbers(await run(ids), base, 4);
  });

  test('needs adapters on weights of floats, else changes nothing', async () => {
    await expect(mergeLora(new ToyModel())).rejects.toThrow(ConfigError);
    await expect(unmergeLora(new ToyModel())).rejects.toThrow(/a model with merged adapters/);
    const model = adaptedModel();
    const first = model.model.layers[0]!.self_attn.q_proj;
    const last = model.model.layers[2]!.self_attn.q_proj;
    const before = await numbersIn(first.floatWeight);
    last.setWeight(new QuantizedWeight([6, 6], { format: 'nf4' }));
    await expect(mergeLora(model)).rejects.toThrow(
      /layers\.2\.self_attn\.q_proj, whose weight is quantized.*quantize then/,
    );
    await expectNumbers(first.floatWeight, before);
    expect(isLoraMerged(model)).toBe(false);
  });

  test('is not undone below another adapter', async () => {
    const model = adaptedModel();
    await mergeLora(model);
    applyLora(model, { targetModules: ['q_proj'] });
    await expect(unmergeLora(model)).rejects.toThrow(/layers\.0\.self_attn\.q_proj, which has one/);
  });
});

describe('removeLora', () => {
  test('gives the model back as it was', async () => {
    const model = new ToyModel().initialize(2);
    const [names, base] = [Object.keys(model.namedParameters()), await numbersIn(model.forward(ids))];
    applyLora(model, {});
    trainAdapters(model);
    removeLora(model);
    expect(Object.keys(model.namedParameters())).toEqual(names);
    await expectNumbers(model.forward(ids), base);
    expect(Object.keys(model.trainableParameters())).toEqual([]);
  });

  test('keeps what is merged, for good', async () => {
    const model = adaptedModel();
    const adapted = await numbersIn(model.forward(ids));
    await mergeLora(model);
    removeLora(model);
    expect(isLoraMerged(model)).toBe(false);
    await expectNumbers(model.forward(ids), adapted, 4);
    expect(model.namedParameters()['lm_head.weight']).toBeInstanceOf(Parameter);
  });
});
