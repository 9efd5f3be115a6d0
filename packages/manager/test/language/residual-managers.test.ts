import {
  closeEngine,
  concat,
  randomKey,
  ShapeError,
  streamKey,
  sum,
  tensor,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  AdaptiveResidualManager,
  parseResidualManagersConfig,
  ResidualManagers,
  type ResidualManagersConfigInput,
  residualManagersConfigFromOfficial,
  residualManagerTypes,
  type StaticResidualManager,
} from '../../src/index.js';
import { difference, normalTensor } from '../support.js';

afterAll(closeEngine);

const [batch, levels, length, width] = [2, 3, 6, 8];

const small = {
  hiddenSize: width,
  languageLayers: 4,
  select: { start: 2, interval: 1, end: 5 },
  inject: { start: 0, interval: 2, end: 4 },
} satisfies ResidualManagersConfigInput;

/** Visual tokens in places 1 to 3 of each row. */
const sequence = {
  levels: concat(
    [
      zeros([batch, levels, 1, width]),
      normalTensor([batch, levels, 3, width], 'levels'),
      zeros([batch, levels, 2, width]),
    ],
    2,
  ),
  questionMask: tensor(Int32Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0), [batch, length]),
};
const hidden = normalTensor([batch, length, width], 'hidden');

/** Managers whose weights are not zero. */
function trained(config: ResidualManagersConfigInput): ResidualManagers {
  const managers = new ResidualManagers({ ...small, ...config }).initialize(0);
  for (const [name, parameter] of Object.entries(managers.namedParameters())) {
    if (!/layer_scores|zero_gate/.test(name)) continue;
    parameter.set(Float32Array.from({ length: parameter.size }, (_, index) => Math.sin(index + name.length)));
  }
  return managers;
}

describe('ResidualManagers', () => {
  it('is the published one by default', () => {
    const managers = new ResidualManagers();
    expect(managers.states).toEqual([13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(managers.layers).toEqual([0, 4, 8, 12, 16, 20]);
    expect(managers.parameterCount()).toBe(80_640);
    expect(managers.namedParameters()['manager.0.layer_scores']!.shape).toEqual([1, 12, 1, 896]);
  });

  it.each(residualManagerTypes)(
    'changes nothing at first with %s weights, and its weights get a gradient',
    async (type) => {
      const managers = new ResidualManagers({ ...small, type }).initialize(0);
      const { beforeLayer } = managers.hooks(sequence);
      expect(await difference(beforeLayer(hidden, { layer: 2 }), hidden)).toBe(0);
      const { grads } = valueAndGrad(() => sum(beforeLayer(hidden, { layer: 2 })), managers.trainableParameters());
      const name = type === 'static' ? 'manager.1.layer_scores' : 'manager.1.zero_gate';
      expect(Math.max(...((await grads[name]!.data()) as Float32Array).map(Math.abs))).toBeGreaterThan(0);
    },
  );

  it.each(residualManagerTypes)('adds to visual tokens alone, in front of its layers alone (%s)', async (type) => {
    const { beforeLayer } = trained({ type }).hooks(sequence);
    for (const layer of [0, 2]) {
      const added = (await beforeLayer(hidden, { layer }).data()) as Float32Array;
      const before = (await hidden.data()) as Float32Array;
      const changed = Array.from({ length: batch * length }, (_, token) =>
        added.slice(token * width, (token + 1) * width).some((value, index) => value !== before[token * width + index]),
      );
      expect(changed).toEqual([...Array(2)].flatMap(() => [false, true, true, true, false, false]));
    }
    expect(beforeLayer(hidden, { layer: 1 })).toBe(hidden);
  });

  it('lets steps behind a prompt pass, and refuses other lengths', () => {
    const { beforeLayer } = trained({}).hooks(sequence);
    const step = normalTensor([batch, 1, width]);
    expect(beforeLayer(step, { layer: 0 })).toBe(step);
    expect(() => beforeLayer(normalTensor([batch, 5, width]), { layer: 0 })).toThrow(ShapeError);
  });

  it.each(['adaptive-last', 'adaptive-average', 'adaptive-cross'] as const)(
    '%s looks at the tokens of the question alone',
    async (type) => {
      const manager = trained({ type }).manager[1]!;
      const seen = { levels: sequence.levels, states: hidden, question: hidden };
      const asked = tensor(Int32Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1), [batch, length]);
      const part = concat(
        [4, 5].map((place) => sliceOf(place)),
        1,
      );
      const masked = manager.forward({ ...seen, questionMask: asked });
      expect(await difference(masked, manager.forward({ ...seen, question: part }))).toBeLessThan(1e-5);
      const others = tensor(Int32Array.of(1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0), [batch, length]);
      expect(await difference(masked, manager.forward({ ...seen, questionMask: others }))).toBeGreaterThan(1e-4);
    },
  );

  it('jitters the weights in training, or the output, or nothing', async () => {
    const key = { trainingKey: streamKey(randomKey(5)) };
    const movement = async (config: ResidualManagersConfigInput) => {
      const managers = trained(config);
      const added = managers.hooks(sequence, key).beforeLayer(hidden, { layer: 2 });
      return difference(added, managers.hooks(sequence).beforeLayer(hidden, { layer: 2 }));
    };
    for (const type of ['static', 'adaptive'] as const) {
      const [weights, output] = [await movement({ type }), await movement({ type, jitter: 'output' })];
      expect(weights).toBeGreaterThan(0);
      expect(output).toBeGreaterThan(0);
      expect(weights).not.toBe(output);
      expect(await movement({ type, jitter: 'none' })).toBe(0);
    }
  });

  it('keeps or leaves out the last level in front of the first layer', () => {
    const countOf = (config: ResidualManagersConfigInput) =>
      (new ResidualManagers({ ...small, ...config }).manager[0] as StaticResidualManager).config.levels;
    expect(countOf({})).toBe(2);
    expect(countOf({ firstLeavesOutLast: false })).toBe(3);
    expect(new ResidualManagers({ ...small, type: 'adaptive' }).manager[1]).toBeInstanceOf(AdaptiveResidualManager);
  });

  it('tells the size of its weights, layers by levels', async () => {
    const managers = trained({});
    const { layers, levels: names, weights } = await managers.levelWeights();
    expect([layers, names]).toEqual([
      [0, 2],
      ['2', '3', '4'],
    ]);
    expect(weights[0]![2]).toBeNull();
    const scores = (await managers.namedParameters()['manager.1.layer_scores']!.data()) as Float32Array;
    const mean = scores.slice(0, width).reduce((total, value) => total + Math.abs(value), 0) / width;
    expect(weights[1]![0]).toBeCloseTo(mean, 5);
  });

  it('tells adaptive weights of what its layers saw', async () => {
    const managers = trained({ type: 'adaptive' });
    const watched = managers.watched(sequence);
    for (let layer = 0; layer < 4; layer++) watched.beforeLayer(hidden, { layer });
    const { weights } = await managers.levelWeights(watched.seen);
    expect(weights[1]!.every((weight) => weight! > 0)).toBe(true);
    await expect(managers.levelWeights()).rejects.toThrow(/states/);
  });
});

function sliceOf(place: number) {
  return hiddenRows[place]!;
}

const hiddenRows = await (async () => {
  const values = (await hidden.data()) as Float32Array;
  return Array.from({ length }, (_, place) => {
    const rows = Array.from({ length: batch }, (_, row) => [
      ...values.slice((row * length + place) * width, (row * length + place + 1) * width),
    ]);
    return tensor(Float32Array.from(rows.flat()), [batch, 1, width]);
  });
})();

describe('configurations', () => {
  it('say what is wrong', () => {
    expect(() => parseResidualManagersConfig({ select: { start: 5, end: 5 } })).toThrow(/select/);
    expect(() => parseResidualManagersConfig({ inject: { start: 24 } })).toThrow(/inject/);
    expect(() => parseResidualManagersConfig({ typ: 'static' } as ResidualManagersConfigInput)).toThrow(
      /unknown key "typ"/,
    );
    expect(() =>
      residualManagersConfigFromOfficial({ hidden_size: 8, num_hidden_layers: 2, mm_manager_type: 'dynamic' }),
    ).toThrow(/static_zerouni/);
  });
});
