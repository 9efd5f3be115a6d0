import {
  ConfigError,
  closeEngine,
  compile,
  gradients,
  initializers,
  materialize,
  randomKey,
  ShapeError,
  streamKey,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  withTrainingKey,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ConvNextBlock } from '../../src/convnext/block.js';
import { ConvNextTower, convNextConfigs, parseConvNextConfig } from '../../src/index.js';

/** Scales far from 0, so that blocks count. */
const small = { depths: [1, 2, 1], hiddenSizes: [4, 6, 8], layerScaleInit: 0.5, initializerRange: 0.3 } as const;
const structure = { ...small, depths: [...small.depths], hiddenSizes: [...small.hiddenSizes] };

function pixels(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('pixels')), shape);
}

afterAll(closeEngine);

describe('ConvNextTower', () => {
  it.each([
    // With a head for 1,000 classes and its norm, the sizes that timm lists.
    ['convnext-tiny', 28_589_128 - 770_536, 7],
    ['convnext-small', 50_223_688 - 770_536, 7],
    ['convnext-base', 88_591_464 - 1_027_048, 7],
    ['convnext-xlarge', 350_196_968 - 2_053_096, 7],
    ['clip-convnext-large-d-320', 196_227_264, 10],
    ['convllava-convnext-768', 669_161_664, 12],
    ['convllava-convnext-1024', 669_161_664, 16],
    ['convllava-convnext-1536', 669_161_664, 24],
    ['clip-convnext-xxlarge', 846_471_016 - 3_079_144, 8],
    ['eagle-convnext-xxlarge-1024', 846_471_016 - 3_079_144, 32],
  ] as const)('%s has the published size', (name, parameters, side) => {
    const tower = new ConvNextTower(convNextConfigs[name]);
    expect(tower.parameterCount()).toBe(parameters);
    expect(tower.featureGrid()).toEqual([side, side]);
    const { imageSize } = tower.config;
    expect(tower.features(zeros([1, 3, imageSize, imageSize])).shape).toEqual([1, side ** 2, tower.width]);
  });

  it('gives the maps of all stages, each of half the grid', () => {
    const tower = new ConvNextTower(structure);
    const { stem, stages } = tower.forward(pixels(2, 3, 37, 51));
    expect([stem, ...stages].map(({ shape }) => shape)).toEqual([
      [2, 4, 9, 12],
      [2, 4, 9, 12],
      [2, 6, 4, 6],
      [2, 8, 2, 3],
    ]);
    for (const layer of [0, 1, 2, 3]) {
      const [rows, columns] = tower.featureGrid(37, 51, { layer });
      expect([stem, ...stages][layer]!.shape.slice(2)).toEqual([rows, columns]);
    }
    expect(tower.featureGrid(37, 51)).toEqual([2, 3]);
    expect(tower.featureGrid(48)).toEqual([3, 3]);
  });

  it('lists the cells of a map row by row', async () => {
    const tower = new ConvNextTower(structure).initialize(1);
    const input = pixels(1, 3, 32, 48);
    const map = tower.forward(input).stages[1]!;
    const tokens = tower.features(input, { layer: 2 });
    expect(tokens.shape).toEqual([1, 4 * 6, 6]);
    const [values, cells] = [await map.data(), await tokens.data()];
    const [row, column, channel] = [3, 5, 4];
    expect(cells[(row * 6 + column) * 6 + channel]).toBe(values[channel * 24 + row * 6 + column]);
    expect([...(await tower.features(input).data())]).toEqual([...(await tower.features(input, { layer: 3 }).data())]);
  });

  it('runs no stage beyond the one that is asked for', async () => {
    const tower = new ConvNextTower(structure);
    const { grads } = valueAndGrad(
      () => sum(tower.features(pixels(1, 3, 16, 16), { layer: 1 })),
      tower.namedParameters(),
    );
    const unused = grads['encoder.stages.1.layers.0.dwconv.weight']!;
    expect([...(await unused.data())].every((value) => value === 0)).toBe(true);
    // Too small for the last stage, not for the first.
    expect(tower.features(pixels(1, 3, 8, 8), { layer: 1 }).shape).toEqual([1, 4, 4]);
    expect(() => tower.features(pixels(1, 3, 8, 8))).toThrow('at least 16 × 16');
  });

  it('refuses other channels, layers and ranks', () => {
    const tower = new ConvNextTower(structure);
    expect(() => tower.forward(pixels(1, 4, 32, 32))).toThrow(ShapeError);
    expect(() => tower.forward(pixels(3, 32, 32))).toThrow(ShapeError);
    expect(() => tower.features(pixels(1, 3, 32, 32), { layer: 4 })).toThrow('between -4 and 3');
    expect(() => tower.featureGrid(32, 32, { layer: 1.5 })).toThrow(ConfigError);
  });

  it('starts as Hugging Face does', async () => {
    const tower = new ConvNextTower({ depths: [1, 1], hiddenSizes: [64, 128] }).initialize(3);
    const values = async (name: string) => [...((await tower.namedParameters()[name]!.data()) as Float32Array)];
    const deviation = async (name: string) => {
      const all = await values(name);
      return Math.sqrt(all.reduce((total, value) => total + value ** 2, 0) / all.length);
    };
    const block = 'encoder.stages.1.layers.0';
    for (const name of ['dwconv', 'pwconv1', 'pwconv2'])
      expect(await deviation(`${block}.${name}.weight`)).toBeCloseTo(0.02, 3);
    expect(await deviation('encoder.stages.1.downsampling_layer.1.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation('embeddings.patch_embeddings.weight')).toBeCloseTo(0.02, 2.5);
    for (const name of ['dwconv', 'layernorm', 'pwconv1', 'pwconv2'])
      expect(new Set(await values(`${block}.${name}.bias`))).toEqual(new Set([0]));
    expect(new Set(await values(`${block}.layer_scale_parameter`))).toEqual(new Set([Math.fround(1e-6)]));
    expect(new Set(await values('encoder.stages.1.downsampling_layer.0.weight'))).toEqual(new Set([1]));
  });

  it('has no layer scale where its first value is 0', () => {
    const names = Object.keys(new ConvNextTower({ ...structure, layerScaleInit: 0 }).namedParameters());
    expect(names.filter((name) => name.endsWith('layer_scale_parameter'))).toEqual([]);
  });

  it('computes the same gradients where blocks keep only their inputs', async () => {
    const tower = new ConvNextTower({ ...structure, dropPathRate: 0.5 }).initialize(4);
    const input = pixels(2, 3, 32, 32);
    const run = async (recomputeFrom?: number) => {
      const { value, grads } = valueAndGrad(
        () => sum(tower.features(input, { recomputeFrom, key: streamKey(randomKey(9)) })),
        tower.namedParameters(),
      );
      const tensors = [value, ...Object.values(grads)];
      await materialize(tensors);
      const all = await Promise.all(tensors.map((each) => each.data()));
      return all.flatMap((data) => [...(data as Float32Array)]);
    };
    const [kept, recomputed] = [await run(), await run(1)];
    const scale = Math.max(...kept.map(Math.abs));
    expect(kept.some((each) => each !== 0)).toBe(true);
    expect(Math.max(...kept.map((each, index) => Math.abs(each - recomputed[index]!))) / scale).toBeLessThan(1e-6);
  });
});

it('runs blocks again that keep only their inputs', () => {
  const tower = new ConvNextTower(structure);
  const forward = vi.spyOn(ConvNextBlock.prototype, 'forward');
  const count = (recomputeFrom?: number) => {
    forward.mockClear();
    valueAndGrad(() => sum(tower.features(pixels(1, 3, 16, 16), { recomputeFrom })), tower.namedParameters());
    return forward.mock.calls.length;
  };
  expect([count(), count(1), count(0)]).toEqual([4, 4 + 3, 4 + 4]);
  forward.mockRestore();
});

describe('stochastic depth', () => {
  /** The same image many times. */
  const copies = (batch: number, side: number): Tensor => {
    const image = initializers.normal()([1, 3, side, side], randomKey(1));
    const values = Float32Array.from({ length: batch * image.length }, (_, index) => image[index % image.length]!);
    return tensor(values, [batch, 3, side, side]);
  };

  const dropping = { depths: [1, 1], hiddenSizes: [4, 4], layerScaleInit: 1, initializerRange: 0.5, dropPathRate: 0.5 };

  it('grows evenly from the first block to the last', () => {
    const { encoder } = new ConvNextTower({ depths: [2, 3], hiddenSizes: [4, 4], dropPathRate: 0.2 });
    const rates = encoder.stages.flatMap(({ layers }) => layers.map(({ dropPathRate }) => dropPathRate));
    for (const [index, rate] of [0, 0.05, 0.1, 0.15, 0.2].entries()) expect(rates[index]).toBeCloseTo(rate, 12);
  });

  it('drops a sample’s branch or scales it up, at the rate of the block', async () => {
    const tower = new ConvNextTower(dropping).initialize(0);
    const batch = 256;
    const input = copies(batch, 8);
    const [, last] = tower.encoder.stages;
    const before = (await last!.downsampling_layer
      .reduce((x: Tensor, layer) => layer.forward(x), tower.forward(input).stages[0]!)
      .data()) as Float32Array;
    const whole = (await tower.features(input).data()) as Float32Array;
    const dropped = (await tower.features(input, { key: streamKey(randomKey(2)) }).data()) as Float32Array;
    let kept = 0;
    for (let sample = 0; sample < batch; sample++) {
      const branch = whole[sample * 4]! - before[sample * 4]!;
      const factor = (dropped[sample * 4]! - before[sample * 4]!) / branch;
      expect(Math.min(Math.abs(factor), Math.abs(factor - 2))).toBeLessThan(1e-4);
      if (factor > 1) kept++;
    }
    expect(kept / batch).toBeGreaterThan(0.4);
    expect(kept / batch).toBeLessThan(0.6);
  });

  it.each([
    ['of a stage', { depths: [3], hiddenSizes: [4] }, 4],
    ['of different stages', { depths: [1, 1, 1], hiddenSizes: [4, 4, 4] }, 16],
  ])('drops the blocks %s independently', async (_, stages, side) => {
    const tower = new ConvNextTower({ ...dropping, ...stages }).initialize(0);
    const dropped = await tower.features(copies(256, side), { key: streamKey(randomKey(3)) }).data();
    const first = Array.from({ length: 256 }, (_, sample) => Number(dropped[sample * 4]).toFixed(4));
    // The first block is always kept; the second and the third are kept or dropped.
    expect(new Set(first).size).toBe(4);
  });

  it('takes its key from the training step, anew in every run, and drops nothing without one', async () => {
    const tower = new ConvNextTower(dropping).initialize(0);
    const input = pixels(16, 3, 8, 8);
    const step = compile((root: Tensor) => withTrainingKey(streamKey(root), () => tower.features(input)));
    const root = (seed: number) => tensor(Int32Array.of(seed, 7), [2], 'int32');
    const values = async (x: Tensor) => [...(await x.data())];
    const [first, again, other] = [await step(root(1)), await step(root(1)), await step(root(2))];
    expect(await values(again)).toEqual(await values(first));
    expect(await values(other)).not.toEqual(await values(first));
    const still = await values(tower.features(input));
    expect(still).not.toEqual(await values(first));
    expect(await values(tower.features(input))).toEqual(still);
  });
});

describe('freezing', () => {
  it('stops gradients at the first stage that trains', async () => {
    const tower = new ConvNextTower(structure).initialize(2);
    tower.freeze('embeddings', 'encoder.stages.0', 'encoder.stages.1');
    const trained = tower.trainableParameters();
    expect(Object.keys(trained).every((name) => name.startsWith('encoder.stages.2.'))).toBe(true);
    const [gradient] = gradients(sum(tower.features(pixels(1, 3, 32, 32))), Object.values(trained));
    expect([...(await gradient!.data())].some((value) => value !== 0)).toBe(true);
  });
});

describe('parseConvNextConfig', () => {
  it('fills in the defaults of ConvNeXt-T and survives JSON', () => {
    const config = parseConvNextConfig({});
    expect(config).toMatchObject({ type: 'convnext', depths: [3, 3, 9, 3], kernelSize: 7, layerNormEps: 1e-6 });
    expect(parseConvNextConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseConvNextConfig({ depth: 3 } as object)).toThrow('"depth"');
    expect(() => parseConvNextConfig({ depths: [1, 1] })).toThrow('depths: must have as many stages as hiddenSizes');
    expect(() => parseConvNextConfig({ kernelSize: 6 })).toThrow('kernelSize: must be odd');
    expect(() => parseConvNextConfig({ dropPathRate: 1 })).toThrow('dropPathRate');
    expect(() => parseConvNextConfig({ hiddenAct: 'none' as 'gelu' })).toThrow(ConfigError);
  });
});
