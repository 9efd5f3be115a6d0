import { afterAll, describe, expect, test } from 'vitest';
import {
  add,
  ConfigError,
  closeEngine,
  compile,
  dequantizeModule,
  Embedding,
  gelu,
  LayerNorm,
  Linear,
  Module,
  normalFloats,
  Parameter,
  prepareQuantized,
  QuantizationError,
  QuantizedWeight,
  type QuantizeOptions,
  quantizationOf,
  quantizeModule,
  randomKey,
  setAccuracyLevel,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { numbersIn } from '../support/expect-numbers.js';

afterAll(closeEngine);

class Block extends Module {
  readonly norm = new LayerNorm(64);
  readonly fc1 = new Linear(64, 96);
  readonly fc2 = new Linear(96, 64);

  forward(x: Tensor): Tensor {
    return add(x, this.fc2.forward(gelu(this.fc1.forward(this.norm.forward(x)))));
  }
}

class Model extends Module {
  readonly embed = new Embedding(50, 64);
  readonly layers = [new Block(), new Block()];
  readonly lm_head: Linear;

  constructor({ isTied = false } = {}) {
    super();
    this.lm_head = new Linear(64, 50, { bias: false, weight: isTied ? this.embed.weight : undefined });
  }

  /** ids [tokens] → [tokens, 50] */
  forward(ids: Tensor): Tensor {
    return this.lm_head.forward(this.layers.reduce((x, layer) => layer.forward(x), this.embed.forward(ids)));
  }
}

const linears = ['layers.0.fc1', 'layers.0.fc2', 'layers.1.fc1', 'layers.1.fc2'];
const ids = tensor(Int32Array.of(3, 1, 4));

describe('quantizeModule', () => {
  test('replaces the weights of linear layers and reports what that did', async () => {
    const model = new Model().initialize(1);
    const plain = await numbersIn(model.forward(ids));
    const weights = await Promise.all(model.layers.map(({ fc1 }) => fc1.floatWeight.data()));
    const seen: string[] = [];
    const report = await quantizeModule(model, { bits: 4, blockSize: 32, onLayer: ({ path }) => seen.push(path) });
    expect(seen).toEqual(linears);
    expect(report.layers.map(({ path }) => path)).toEqual(linears);
    expect(report.bytesBefore).toBe(4 * 64 * 96 * 4);
    expect(report.bytesAfter).toBe(4 * (64 * 96) * (1 / 2 + 4 / 32));
    expect(model.embed.weight).toBeInstanceOf(Parameter);
    expect(model.lm_head.weight).toBeInstanceOf(Parameter);
    expect(quantizationOf(model)).toEqual(
      Object.fromEntries(linears.map((path) => [path, { format: 'nbits', bits: 4, blockSize: 32, symmetric: true }])),
    );
    // What it says of a layer is what the layer holds.
    const [first] = report.layers;
    const now = await (model.layers[0]!.fc1.weight as QuantizedWeight).toFloat();
    const before = weights[0] as Float32Array;
    const error = Math.hypot(...now.map((value, i) => value - before[i]!)) / Math.hypot(...before);
    expect(first!.relativeError).toBeCloseTo(error, 6);
    expect(report.relativeError).toBeGreaterThan(0.03);
    expect(report.relativeError).toBeLessThan(0.1);
    const quantized = await numbersIn(model.forward(ids));
    const change = Math.hypot(...quantized.map((value, i) => value - plain[i]!)) / Math.hypot(...plain);
    expect(change).toBeGreaterThan(1e-4);
    expect(change).toBeLessThan(0.1);
  });

  test.each<[QuantizeOptions, number, number]>([
    [{ bits: 8 }, 0.002, 0.006],
    [{ bits: 4, symmetric: false }, 0.03, 0.09],
    [{ format: 'nf4' }, 0.05, 0.1],
    [{ format: 'nf4', doubleQuantized: true, blockSize: 128 }, 0.05, 0.11],
    [{ format: 'fp4' }, 0.08, 0.16],
    [{ format: 'int8' }, 0.002, 0.01],
  ])('measures the error of %o', async (options, low, high) => {
    const { relativeError } = await quantizeModule(new Model().initialize(1), options);
    expect(relativeError).toBeGreaterThan(low);
    expect(relativeError).toBeLessThan(high);
  });

  test('takes the layers that are asked for', async () => {
    const paths = async (options: QuantizeOptions) =>
      (await quantizeModule(new Model(), options)).layers.map(({ path }) => path);
    expect(await paths({ include: ['layers.1'] })).toEqual(linears.slice(2));
    expect(await paths({ exclude: [/fc1$/] })).toEqual([linears[1], linears[3]]);
    expect(await paths({ head: true, include: ['lm_head', 'layers.0.fc1'] })).toEqual(['layers.0.fc1', 'lm_head']);
    await expect(paths({ include: ['layers.7'] })).rejects.toThrow(ConfigError);
    await expect(paths({ exclude: ['embed'] })).rejects.toThrow(
      /a pattern that matches a linear layer, received embed/,
    );
    await expect(paths({ blocksize: 32 } as never)).rejects.toThrow(/unknown key "blocksize"/);
  });

  test('gives a head that shares the token table a copy of its own', async () => {
    const model = new Model({ isTied: true }).initialize(2);
    expect(Object.keys(model.namedParameters())).not.toContain('lm_head.weight');
    const table = await model.embed.weight.data();
    const plain = await quantizeModule(model, { bits: 8 });
    expect(plain.layers.map(({ path }) => path)).toEqual(linears);
    expect(model.lm_head.weight).toBe(model.embed.weight);
    const [head] = (await quantizeModule(model, { bits: 8, head: true, include: ['lm_head'] })).layers;
    expect(head).toMatchObject({ path: 'lm_head', bytesBefore: 0, bytesAfter: 50 * 64 + 50 * 2 * 4 });
    expect(await model.embed.weight.data()).toEqual(table);
    expect(model.lm_head.weight).toBeInstanceOf(QuantizedWeight);
    expect(Object.keys(model.namedParameters())).toContain('lm_head.weight.packed');
  });

  test('is seen by functions that were compiled before', async () => {
    const model = new Model().initialize(3);
    model.freeze();
    const forward = compile((each: Tensor) => model.forward(each));
    const before = await numbersIn(await forward(ids));
    await quantizeModule(model, { bits: 4 });
    const after = await numbersIn(await forward(ids));
    expect(after).not.toEqual(before);
    const eager = await numbersIn(model.forward(ids));
    after.forEach((value, i) => {
      expect(value).toBeCloseTo(eager[i]!, 4);
    });
    setAccuracyLevel(model, 4);
    expect(await numbersIn(await forward(ids))).not.toEqual(after);
  });

  test('converts what is quantized already', async () => {
    const model = new Model().initialize(4);
    await quantizeModule(model, { format: 'nf4' });
    const values = await (model.layers[0]!.fc1.weight as QuantizedWeight).toFloat();
    const report = await quantizeModule(model, { bits: 8, blockSize: 64 });
    expect(report.bytesBefore).toBe(4 * (64 * 96) * (1 / 2 + 4 / 64));
    expect(report.relativeError).toBeLessThan(0.006);
    const now = await (model.layers[0]!.fc1.weight as QuantizedWeight).toFloat();
    expect(Math.hypot(...now.map((value, i) => value - values[i]!)) / Math.hypot(...values)).toBeLessThan(0.006);
  });

  test('stops at a weight that is not finite, and names it', async () => {
    const model = new Model().initialize(5);
    const weight = normalFloats(randomKey(1), 64 * 96);
    weight[77] = Number.NaN;
    model.layers[1]!.fc1.floatWeight.set(weight);
    await expect(quantizeModule(model, { bits: 4 })).rejects.toThrow(QuantizationError);
    await expect(quantizeModule(model, { bits: 4 })).rejects.toThrow(
      /NaN as element 77 of the weight of layers\.1\.fc1/,
    );
    expect(model.layers[0]!.fc1.weight).toBeInstanceOf(QuantizedWeight);
    expect(model.layers[1]!.fc1.weight).toBeInstanceOf(Parameter);
  });
});

test('dequantizeModule turns weights back into the floats behind them', async () => {
  const model = new Model().initialize(6);
  await quantizeModule(model, { bits: 4 });
  const floats = await (model.layers[0]!.fc2.weight as QuantizedWeight).toFloat();
  const before = await numbersIn(model.forward(ids));
  await dequantizeModule(model);
  expect(quantizationOf(model)).toEqual({});
  expect(await model.layers[0]!.fc2.floatWeight.data()).toEqual(floats);
  expect(model.layers[0]!.fc2.floatWeight.requiresGrad).toBe(false);
  (await numbersIn(model.forward(ids))).forEach((value, i) => {
    expect(value).toBeCloseTo(before[i]!, 4);
  });
});

test('prepareQuantized gives layers quantized weights that wait for values', async () => {
  const model = new Model({ isTied: true });
  expect(prepareQuantized(model, { format: 'int8', head: true, accuracyLevel: 4 })).toEqual(linears);
  const { weight } = model.layers[1]!.fc2;
  expect(weight).toBeInstanceOf(QuantizedWeight);
  expect((weight as QuantizedWeight).accuracyLevel).toBe(4);
  expect(model.lm_head.weight).toBe(model.embed.weight);
  expect(Object.values(model.namedParameters()).some(({ isMaterialized }) => isMaterialized)).toBe(false);
});

test('a weight of another shape is refused', () => {
  const layer = new Linear(64, 96);
  expect(() => layer.setWeight(new QuantizedWeight([64, 96]))).toThrow(/a weight \[96, 64\], received \[64, 96\]/);
  expect(() => new Linear(4, 3, { weight: new Parameter([4, 3]) })).toThrow(/a weight \[3, 4\]/);
  layer.setWeight(new QuantizedWeight([96, 64]));
  expect(() => layer.floatWeight).toThrow(/one of nbits/);
});
