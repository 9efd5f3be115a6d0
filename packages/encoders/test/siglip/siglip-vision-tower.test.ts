import {
  ConfigError,
  closeEngine,
  initializers,
  randomKey,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSiglipVisionConfig, SiglipVisionTower, siglipVisionConfigs } from '../../src/index.js';

const small = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  imageSize: 13,
  patchSize: 4,
} as const;

const so400m = siglipVisionConfigs['siglip-so400m-patch14-384'];

function pixels(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('pixels')), shape);
}

afterAll(closeEngine);

describe('SiglipVisionTower', () => {
  it.each([
    ['as published', so400m, 428_225_600],
    ['without the head', { ...so400m, visionUseHead: false }, 412_987_248],
    ["as LLaVA-NeXT's", { ...so400m, visionUseHead: false, numHiddenLayers: 26 }, 397_747_744],
  ] as const)('so400m-patch14-384 %s has the published size', (_, config, parameters) => {
    const tower = new SiglipVisionTower(config);
    expect(tower.parameterCount()).toBe(parameters);
    expect(tower.featureGrid()).toEqual([27, 27]);
    expect(tower.width).toBe(1152);
    const { lastHiddenState, poolerOutput } = tower.forward(zeros([1, 3, 384, 384]));
    expect(lastHiddenState.shape).toEqual([1, 729, 1152]);
    expect(poolerOutput?.shape).toEqual(config.visionUseHead ? [1, 1152] : undefined);
  });

  it('starts with the published initialisation', async () => {
    const tower = new SiglipVisionTower({ ...small, hiddenSize: 64, intermediateSize: 128 }).initialize(3);
    const values = async (name: string) =>
      (await tower.namedParameters()[`vision_model.${name}`]!.data()) as Float32Array;
    const deviation = async (name: string) => {
      const data = await values(name);
      return Math.sqrt(data.reduce((total, value) => total + value ** 2, 0) / data.length);
    };
    const largest = async (name: string) => Math.max(...(await values(name)).map(Math.abs));
    const xavier = (inputs: number, outputs: number) => Math.sqrt(2 / (inputs + outputs));
    expect(await deviation('embeddings.position_embedding.weight')).toBeCloseTo(1 / 8, 1.5);
    expect(await deviation('embeddings.patch_embedding.weight')).toBeCloseTo((3 * 4 * 4) ** -0.5, 2);
    expect(await deviation('encoder.layers.0.self_attn.k_proj.weight')).toBeCloseTo(xavier(64, 64), 2);
    expect(await largest('encoder.layers.0.self_attn.k_proj.weight')).toBeLessThanOrEqual(xavier(64, 64) * 3 ** 0.5);
    expect(await deviation('encoder.layers.2.mlp.fc1.weight')).toBeCloseTo(xavier(64, 128), 2);
    expect(await deviation('encoder.layers.2.mlp.fc2.bias')).toBeCloseTo(1e-6, 6.5);
    expect(await largest('encoder.layers.2.mlp.fc2.bias')).toBeGreaterThan(0);
    expect(await deviation('encoder.layers.0.self_attn.out_proj.bias')).toBe(0);
    expect(await deviation('head.probe')).toBeCloseTo(xavier(64, 64), 1.5);
    expect(await deviation('head.attention.in_proj_weight')).toBeCloseTo(xavier(64, 192), 2);
    expect(await deviation('head.attention.out_proj.weight')).toBeCloseTo(1 / 8, 2);
    expect(await deviation('post_layernorm.weight')).toBe(1);
  });

  it('has the features of LLaVA-NeXT: the second to last block, without the final norm', async () => {
    const tower = new SiglipVisionTower(small).initialize(1);
    const shorter = new SiglipVisionTower({ ...small, numHiddenLayers: 2, visionUseHead: false });
    const state = await tower.state();
    const names = Object.keys(shorter.namedParameters());
    shorter.loadState(Object.fromEntries(names.map((name) => [name, state[name]!])));
    const input = pixels(2, 3, 13, 13);
    const features = await tower.features(input).data();
    expect([...(await shorter.features(input, { layer: -1 }).data())]).toEqual([...features]);
    expect([...(await tower.forward(input).hiddenStates[2]!.data())]).toEqual([...features]);

    const { grads, aux } = valueAndGrad(() => {
      const tokens = tower.features(input);
      return [sum(tokens), tokens] as const;
    }, tower.namedParameters());
    expect(aux.shape).toEqual([2, 9, 16]);
    const isTrained = async (name: string) =>
      ((await grads[`vision_model.${name}`]!.data()) as Float32Array).some((value) => value !== 0);
    expect(await isTrained('encoder.layers.1.mlp.fc1.weight')).toBe(true);
    expect(await isTrained('encoder.layers.2.mlp.fc1.weight')).toBe(false);
    expect(await isTrained('post_layernorm.weight')).toBe(false);
    expect(await isTrained('head.probe')).toBe(false);
  });

  it('does not see pixels beyond the last whole patch', async () => {
    const tower = new SiglipVisionTower(small).initialize(1);
    const values = initializers.normal()([1, 3, 13, 13], randomKey('pixels'));
    const before = await tower.features(tensor(values, [1, 3, 13, 13])).data();
    const changed = values.map((value, index) => (index % 13 === 12 || Math.floor(index / 13) % 13 === 12 ? 9 : value));
    expect([...(await tower.features(tensor(changed, [1, 3, 13, 13])).data())]).toEqual([...before]);
  });

  it('takes other image sizes only when positions may be interpolated', () => {
    const tower = new SiglipVisionTower(small);
    expect(() => tower.forward(pixels(1, 3, 16, 12))).toThrow('interpolatePositions');
    const output = tower.forward(pixels(1, 3, 17, 20), { interpolatePositions: true });
    expect(output.lastHiddenState.shape).toEqual([1, 4 * 5, 16]);
    expect(tower.featureGrid(17, 20)).toEqual([4, 5]);
    expect(() => tower.forward(pixels(1, 3, 3, 13), { interpolatePositions: true })).toThrow(ShapeError);
    expect(() => tower.forward(pixels(1, 1, 13, 13))).toThrow(ShapeError);
    expect(() => tower.features(pixels(1, 3, 13, 13), { layer: 4 })).toThrow(ConfigError);
  });
});

describe('parseSiglipVisionConfig', () => {
  it('fills in the defaults of base-patch16-224 and survives JSON', () => {
    const config = parseSiglipVisionConfig({});
    expect(config).toMatchObject({ type: 'siglip', patchSize: 16, hiddenAct: 'gelu_pytorch_tanh', layerNormEps: 1e-6 });
    expect(parseSiglipVisionConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseSiglipVisionConfig({ hiddenSizes: 3 } as object)).toThrow('"hiddenSizes"');
    expect(() => parseSiglipVisionConfig({ numAttentionHeads: 7 })).toThrow(
      'numAttentionHeads: must divide hiddenSize',
    );
    expect(() => parseSiglipVisionConfig({ imageSize: 8 })).toThrow('patchSize');
    expect(() => parseSiglipVisionConfig({ type: 'clip' as 'siglip' })).toThrow(ConfigError);
  });
});
