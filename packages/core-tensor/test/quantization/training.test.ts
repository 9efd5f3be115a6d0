import { afterAll, describe, expect, test } from 'vitest';
import {
  checkpoint,
  closeEngine,
  compile,
  compileUpdate,
  gelu,
  initializers,
  Linear,
  type LinearAdapter,
  linear,
  Module,
  meanSquaredError,
  mul,
  normalFloats,
  Parameter,
  type QuantizedWeight,
  type QuantizeOptions,
  quantizeModule,
  randomKey,
  sub,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../src/index.js';

afterAll(closeEngine);

/** B·A·x beside the weight. */
class LowRank extends Module implements LinearAdapter {
  readonly a: Parameter;
  readonly b: Parameter;

  constructor(inputs: number, outputs: number) {
    super();
    this.a = new Parameter([4, inputs], { initializer: initializers.normal(0, 0.1) });
    this.b = new Parameter([outputs, 4]);
  }

  forward(x: Tensor): Tensor {
    return linear(linear(x, this.a), this.b);
  }
}

class Perceptron extends Module {
  readonly up = new Linear(32, 64);
  readonly down = new Linear(64, 8);

  forward(x: Tensor): Tensor {
    return this.down.forward(gelu(this.up.forward(x)));
  }
}

const x = tensor(normalFloats(randomKey(1), 40 * 32), [40, 32]);
const y = tensor(normalFloats(randomKey(2), 40 * 8), [40, 8]);
const descend = compileUpdate(([parameter, gradient, rate]) => [sub(parameter!, mul(gradient!, rate!))]);

async function bytesOf(model: Perceptron) {
  const base = Object.entries(model.namedParameters()).filter(([name]) => name.includes('weight.'));
  return Promise.all(base.map(async ([name, parameter]) => [name, await parameter.data()] as const));
}

describe.each<[QuantizeOptions]>([
  [{ bits: 4, blockSize: 32 }],
  [{ format: 'nf4', doubleQuantized: true }],
  [{ bits: 8 }],
])('adapters over a frozen base of %o', (options) => {
  test('learn, while the base stays as it is', async () => {
    const model = new Perceptron().initialize(3);
    await quantizeModule(model, options);
    model.freeze();
    model.up.setAdapter(new LowRank(32, 64).initialize(1));
    model.down.setAdapter(new LowRank(64, 8).initialize(2));
    const parameters = model.trainableParameters();
    expect(Object.keys(parameters)).toEqual(['up.adapter.a', 'up.adapter.b', 'down.adapter.a', 'down.adapter.b']);
    const before = await bytesOf(model);
    expect(before.map(([name]) => name)).toContain('up.weight.packed');
    const step = compile((input: Tensor, target: Tensor) =>
      valueAndGrad(() => meanSquaredError(model.forward(input), target), parameters),
    );
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) {
      const { value, grads } = await step(x, y);
      losses.push(await value.item());
      for (const [name, parameter] of Object.entries(parameters)) {
        await descend([parameter, grads[name]!, tensor(0.5)], [parameter]);
      }
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.6);
    expect(await bytesOf(model)).toEqual(before);
  });

  test('get the gradients that floats of the same values give, also where they are computed again', async () => {
    const model = new Perceptron().initialize(3);
    await quantizeModule(model, options);
    model.freeze('down', 'up.weight');
    const floats = new Perceptron().initialize(3);
    for (const name of ['up', 'down'] as const) {
      floats[name].floatWeight.set(await (model[name].weight as QuantizedWeight).toFloat());
    }
    const gradientsOf = async (of: Perceptron, wrap = (fn: (x: Tensor) => Tensor) => fn) => {
      const up = { bias: of.up.bias! };
      const step = compile((input: Tensor) =>
        valueAndGrad(() => meanSquaredError(wrap((each) => of.forward(each))(input), y), up),
      );
      return (await (await step(x)).grads.bias!.data()) as Float32Array;
    };
    const expected = await gradientsOf(floats);
    const largest = Math.max(...expected.map(Math.abs));
    for (const wrap of [undefined, checkpoint]) {
      (await gradientsOf(model, wrap as never)).forEach((value, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * largest);
      });
    }
  });
});
