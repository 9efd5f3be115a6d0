import {
  add,
  ConfigError,
  closeEngine,
  equal,
  layerNorm,
  materialize,
  mean,
  randomKey,
  reshape,
  ShapeError,
  select,
  square,
  streamKey,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  where,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AdaptiveUnimodalManager,
  createManager,
  type Manager,
  type ManagerConfigInput,
  type ManagerInputs,
  type ManagerType,
  managerTypes,
  parseManagerConfig,
  StaticManager,
  StaticUnimodalManager,
} from '../../src/index.js';
import { difference, normalTensor } from '../support.js';

afterAll(closeEngine);

const [batch, levels, tokens, width] = [2, 3, 4, 8];

function inputsFor(layerIndex: number): ManagerInputs {
  return {
    levels: normalTensor([batch, levels, tokens, width], 'levels'),
    previous: Array.from({ length: layerIndex }, (_, index) => normalTensor([batch, tokens, width], `C${index}`)),
    other: normalTensor([batch, 5, width], 'other'),
  };
}

function managerOf(config: ManagerConfigInput): Manager {
  return createManager({ hiddenSize: width, levels, layerIndex: 2, ...config }).initialize(0);
}

describe('every manager', () => {
  it.each(managerTypes.flatMap((type) => (['both', 'own'] as const).map((query) => [type, query] as const)))(
    '%s with the query of %s gives weights of the levels that sum to one, and trains',
    async (type, query) => {
      const manager = managerOf({ type, query });
      const inputs = inputsFor(2);
      const weights = manager.weights(inputs);
      for (const total of await sum(weights.levels, { axes: 1 }).data()) expect(total).toBeCloseTo(1, 5);
      const { levels: means, previous } = await manager.levelWeights(inputs);
      expect(means).toHaveLength(levels);
      expect(means.reduce((all, each) => all + each)).toBeCloseTo(1, 5);
      expect(previous).toHaveLength(type === 'static' ? 2 : 1);

      const { grads } = valueAndGrad(() => sum(square(manager.forward(inputs))), manager.trainableParameters());
      await materialize(Object.values(grads));
      const largest = await Promise.all(
        Object.values(grads).map(async (gradient) =>
          ((await gradient.data()) as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
        ),
      );
      expect(largest.every(Number.isFinite)).toBe(true);
      expect(Math.max(...largest)).toBeGreaterThan(0);
    },
  );

  it.each(managerTypes)('%s is a static one in front of the first layer', async (type) => {
    const manager = managerOf({ type, layerIndex: 0 });
    expect(manager).toBeInstanceOf(StaticUnimodalManager);
    expect((await manager.levelWeights()).previous).toEqual([]);
    expect(manager.forward(inputsFor(0)).shape).toEqual([batch, tokens, width]);
  });

  it('starts with equal weights of the levels and weight one of the last output', async () => {
    const { levels: means, previous } = await managerOf({ type: 'static-unimodal' }).levelWeights();
    for (const mean of means) expect(mean).toBeCloseTo(1 / 3, 6);
    expect(previous).toEqual([1]);
  });

  it('explores under a key, and not where that is turned off', async () => {
    const options = { noiseKey: streamKey(randomKey(1)) };
    const inputs = inputsFor(2);
    for (const type of managerTypes) {
      const manager = managerOf({ type });
      expect(await difference(manager.forward(inputs, options), manager.forward(inputs)), type).toBeGreaterThan(1e-2);
      const calm = managerOf({ type, explorationNoise: false });
      expect(await difference(calm.forward(inputs, options), calm.forward(inputs)), type).toBe(0);
    }
  });

  it('counts as many parameters as the published ones', () => {
    const published = { hiddenSize: 768, levels: 6 };
    expect(createManager({ ...published, layerIndex: 0 }).parameterCount()).toBe(13_826);
    expect(createManager({ ...published, type: 'static-unimodal', layerIndex: 1 }).parameterCount()).toBe(16_130);
    expect(createManager({ ...published, layerIndex: 1 }).parameterCount()).toBe(1_203_464);
  });

  it('never trains the temperature that nothing uses', () => {
    const names = Object.keys(managerOf({}).trainableParameters());
    expect(names).toContain('softmax_temperature');
    expect(names).not.toContain('softmax_temperature_cross');
    expect(
      Object.keys(managerOf({ learnable: false, softmaxTemperatureLearnable: false }).trainableParameters()),
    ).not.toContain('layer_scores_cross');
  });
});

describe('StaticManager', () => {
  it('weighs all earlier outputs, under one softmax or two', async () => {
    const config = { hiddenSize: width, levels, layerIndex: 2 };
    const separate = await new StaticManager(config).levelWeights();
    expect(separate.previous.map((weight) => weight.toFixed(4))).toEqual(['0.5000', '0.5000']);
    const joint = await new StaticManager({ ...config, staticSoftmax: 'joint' }).levelWeights();
    expect([...joint.levels, ...joint.previous].map((weight) => weight.toFixed(4))).toEqual(
      new Array(5).fill('0.2000'),
    );
  });

  it('depends on the first output too', async () => {
    const manager = managerOf({ type: 'static' });
    const inputs = inputsFor(2);
    const changed = { ...inputs, previous: [normalTensor([batch, tokens, width], 'changed'), inputs.previous[1]!] };
    expect(await difference(manager.forward(inputs), manager.forward(changed))).toBeGreaterThan(1e-2);
    const unimodal = managerOf({ type: 'static-unimodal' });
    expect(await difference(unimodal.forward(inputs), unimodal.forward(changed))).toBe(0);
  });
});

describe('the predicted weights', () => {
  /** A manager whose linear layers are zero. */
  function blank(type: ManagerType): Manager {
    const manager = managerOf({ type });
    for (const [name, parameter] of Object.entries(manager.namedParameters())) {
      if (/controller|proj/.test(name)) parameter.set(new Float32Array(parameter.size));
    }
    return manager;
  }

  it.each(['adaptive-unimodal', 'concat-attention', 'cross-attention'] as const)(
    'of a %s manager are equal without linear layers: out = mean of LN(U) + LN(C)',
    async (type) => {
      const inputs = inputsFor(2);
      const expected = add(mean(layerNorm(inputs.levels), { axes: 1 }), layerNorm(inputs.previous[1]!));
      expect(await difference(blank(type).forward(inputs), expected)).toBeLessThan(1e-5);
    },
  );

  /** Inputs whose levels differ at one token, and whether each token's weights follow. */
  async function changedTokens(type: ManagerType, token: number): Promise<boolean[]> {
    const manager = managerOf({ type });
    const inputs = inputsFor(2);
    const place = reshape(equal(tensor(Int32Array.from({ length: tokens }, (_, index) => index)), token), [
      1,
      1,
      tokens,
      1,
    ]);
    const noise = normalTensor([batch, levels, tokens, width], 'noise');
    const changed = { ...inputs, levels: where(place, noise, inputs.levels) };
    const [a, b] = [manager.weights(inputs).levels, manager.weights(changed).levels];
    return Promise.all(
      Array.from(
        { length: tokens },
        async (_, index) => (await difference(select(a, 2, index), select(b, 2, index))) > 1e-6,
      ),
    );
  }

  it('of cross-attention follow from the first token of each level', async () => {
    expect(await changedTokens('cross-attention', 0)).toEqual([true, true, true, true]);
    expect(await changedTokens('cross-attention', 2)).toEqual([false, false, false, false]);
  });

  it('of concat-attention follow from the same token of each level', async () => {
    expect(await changedTokens('concat-attention', 2)).toEqual([false, false, true, false]);
  });

  it('are read out as means over tokens that are no padding', async () => {
    const manager = managerOf({});
    const inputs = inputsFor(2);
    const mask = tensor(Int32Array.of(1, 0, 0, 0, 1, 0, 0, 0), [batch, tokens]);
    const firsts = Array.from(
      await mean(select(manager.weights(inputs).levels, 2, 0), { axes: [0, 2] }).data(),
      Number,
    );
    const { levels: means } = await manager.levelWeights({ ...inputs, mask });
    for (const [index, expected] of firsts.entries()) expect(means[index]).toBeCloseTo(expected, 5);
    expect((await manager.levelWeights(inputs)).levels[0]).not.toBeCloseTo(firsts[0]!, 4);
  });
});

describe('AdaptiveUnimodalManager', () => {
  const otherMask: Tensor = tensor(Int32Array.of(1, 1, 1, 0, 0, 1, 1, 1, 1, 1), [2, 5]);

  it('lets padding of the other modality take part, unless told to mask it', async () => {
    const inputs = inputsFor(2);
    const masked = { ...inputs, otherMask };
    const asPublished = managerOf({});
    expect(await difference(asPublished.forward(masked), asPublished.forward(inputs))).toBe(0);
    const corrected = managerOf({ maskQuery: true });
    expect(await difference(corrected.forward(masked), corrected.forward(inputs))).toBeGreaterThan(0);
  });

  it('asks for what its weights depend on', async () => {
    const manager = managerOf({});
    expect(() => manager.weights()).toThrow(ConfigError);
    await expect(manager.levelWeights()).rejects.toThrow(/inputs/);
    expect(() => manager.forward({ ...inputsFor(2), other: undefined })).toThrow(/other modality/);
    expect(() => new AdaptiveUnimodalManager({ layerIndex: 0 })).toThrow(/at least 1/);
  });

  it('refuses levels and outputs that do not fit', () => {
    const manager = managerOf({});
    expect(() => manager.forward({ ...inputsFor(2), levels: normalTensor([batch, 2, tokens, width]) })).toThrow(
      ShapeError,
    );
    expect(() => manager.forward({ ...inputsFor(2), previous: [] })).toThrow(ShapeError);
  });
});

it('names what is wrong in a configuration', () => {
  expect(() => parseManagerConfig({ type: 'dynamic' as 'static' })).toThrow(/type/);
  expect(() => parseManagerConfig({ levels: 0 })).toThrow(/levels/);
  expect(() => parseManagerConfig({ level: 3 } as ManagerConfigInput)).toThrow(/unknown key "level"/);
});
