import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  add,
  applyLora,
  closeEngine,
  gradients,
  Linear,
  Module,
  matmul,
  mul,
  square,
  sum,
  tensor,
  useEngine,
} from '../../src/index.js';
import { QuantizedWeight } from '../../src/quantization/quantized-weight.js';
import { expectNumbers, numbersIn } from '../support/expect-numbers.js';
import { trainAdapters } from './toy-model.js';

beforeAll(async () => {
  await useEngine('reference');
});
afterAll(closeEngine);

class Holder extends Module {
  readonly fc = new Linear(20, 6);
}

function quantized(): Holder {
  const holder = new Holder().initialize(3);
  const weight = new QuantizedWeight([6, 20], { format: 'nf4' });
  weight.setFromFloat(Float32Array.from({ length: 120 }, (_, i) => Math.sin(i * i)));
  holder.fc.setWeight(weight);
  return holder;
}

const x = tensor(
  Float32Array.from({ length: 60 }, (_, i) => Math.cos(3 * i)),
  [3, 20],
);

describe('adapters on a quantized weight', () => {
  test('add to its product, and train alone', async () => {
    const holder = quantized();
    const base = await numbersIn(holder.fc.forward(x));
    applyLora(holder, { targetModules: ['fc'], r: 2, loraAlpha: 4 });
    await expectNumbers(holder.fc.forward(x), base, 5);
    trainAdapters(holder);
    expect(Object.keys(holder.trainableParameters())).toEqual(['fc.adapter.lora_A.weight', 'fc.adapter.lora_B.weight']);
    const added = await numbersIn(holder.fc.adapter!.forward(x));
    await expectNumbers(
      holder.fc.forward(x),
      base.map((value, index) => value + added[index]!),
      4,
    );
  });

  test('pass gradients to their factors and, through the values of the weight, to what is before', async () => {
    const holder = quantized();
    applyLora(holder, { targetModules: ['fc'], r: 2, loraAlpha: 4 });
    trainAdapters(holder);
    const { 'fc.adapter.lora_A.weight': a, 'fc.adapter.lora_B.weight': b } = holder.trainableParameters();
    const ofLayer = gradients(sum(square(holder.fc.forward(x))), [a!, b!, x]);
    const { weight, bias } = holder.fc;
    const effective = add((weight as QuantizedWeight).dequantized(), mul(matmul(b!, a!), 2));
    const y = add(matmul(x, effective, { transposeB: true }), bias!);
    const expected = gradients(sum(square(y)), [a!, b!, x]);
    for (const [index, gradient] of ofLayer.entries()) {
      await expectNumbers(gradient, await numbersIn(expected[index]!), 3);
    }
  });

  test('do not let it train as a whole', () => {
    expect(() => applyLora(quantized(), { targetModules: ['x'], modulesToSave: ['fc'] })).toThrow(
      /fc, which has quantized weights\. Leave it out of modulesToSave/,
    );
  });
});
