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
import { ClipVisionTower, clipVisionConfigs, parseClipVisionConfig } from '../../src/index.js';

const small = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  imageSize: 12,
  patchSize: 4,
} as const;

function pixels(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('pixels')), shape);
}

afterAll(closeEngine);

describe('ClipVisionTower', () => {
  it.each([
    ['clip-vit-base-patch16', 85_799_424, 197],
    ['clip-vit-large-patch14-336', 303_507_456, 577],
  ] as const)('%s has the published size', (name, parameters, tokens) => {
    const tower = new ClipVisionTower(clipVisionConfigs[name]);
    expect(tower.parameterCount()).toBe(parameters);
    const [rows, columns] = tower.featureGrid();
    expect(1 + rows * columns).toBe(tokens);
    const size = tower.config.imageSize;
    expect(tower.forward(zeros([1, 3, size, size])).lastHiddenState.shape).toEqual([
      1,
      tokens,
      tower.config.hiddenSize,
    ]);
  });

  it('starts with the deviations of the published initialisation', async () => {
    const tower = new ClipVisionTower({ ...small, hiddenSize: 64, intermediateSize: 128 }).initialize(3);
    const deviation = async (name: string) => {
      const values = (await tower.namedParameters()[`vision_model.${name}`]!.data()) as Float32Array;
      return Math.sqrt(values.reduce((total, value) => total + value ** 2, 0) / values.length);
    };
    expect(await deviation('embeddings.patch_embedding.weight')).toBeCloseTo(0.02, 2.5);
    expect(await deviation('encoder.layers.1.self_attn.q_proj.weight')).toBeCloseTo(64 ** -0.5 * 6 ** -0.5, 2);
    expect(await deviation('encoder.layers.1.self_attn.out_proj.weight')).toBeCloseTo(64 ** -0.5, 2);
    expect(await deviation('encoder.layers.2.mlp.fc1.weight')).toBeCloseTo(128 ** -0.5, 2);
    expect(await deviation('encoder.layers.2.mlp.fc2.weight')).toBeCloseTo(64 ** -0.5 * 6 ** -0.5, 2);
    expect(await deviation('encoder.layers.2.mlp.fc2.bias')).toBe(0);
    expect(await deviation('pre_layrnorm.weight')).toBe(1);
  });

  it('takes features from the second to last layer, and leaves the last block untrained', async () => {
    const tower = new ClipVisionTower(small).initialize(1);
    const input = pixels(2, 3, 12, 12);
    const { hiddenStates } = tower.forward(input);
    const { value, grads, aux } = valueAndGrad(() => {
      const features = tower.features(input);
      return [sum(features), features] as const;
    }, tower.namedParameters());
    expect(hiddenStates.length).toBe(4);
    expect(aux.shape).toEqual([2, 9, 16]);
    const whole = await hiddenStates[2]!.data();
    const features = await aux.data();
    for (let image = 0; image < 2; image++) {
      const expected = whole.slice((image * 10 + 1) * 16, (image + 1) * 10 * 16);
      expect([...features.slice(image * 9 * 16, (image + 1) * 9 * 16)]).toEqual([...expected]);
    }
    expect(Number.isFinite(await value.item())).toBe(true);
    const largest = async (name: string) => {
      const gradient = (await grads[`vision_model.${name}`]!.data()) as Float32Array;
      return gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    };
    expect(await largest('encoder.layers.2.mlp.fc1.weight')).toBe(0);
    expect(await largest('post_layernorm.weight')).toBe(0);
    expect(await largest('encoder.layers.1.mlp.fc1.weight')).toBeGreaterThan(0);
  });

  it('counts layers from either end and keeps the class token on request', async () => {
    const tower = new ClipVisionTower(small).initialize(1);
    const input = pixels(1, 3, 12, 12);
    const first = await tower.features(input, { layer: 0, classToken: 'keep' }).data();
    const same = await tower.features(input, { layer: -4, classToken: 'keep' }).data();
    expect([...first]).toEqual([...same]);
    expect(first.length).toBe(10 * 16);
    expect(() => tower.features(input, { layer: 4 })).toThrow(ConfigError);
    expect(() => tower.features(input, { layer: -5 })).toThrow('between -4 and 3');
    expect(() => tower.features(input, { layer: 1.5 })).toThrow(ConfigError);
  });

  it('takes other image sizes only when positions may be interpolated', () => {
    const tower = new ClipVisionTower(small);
    expect(() => tower.forward(pixels(1, 3, 16, 12))).toThrow('interpolatePositions');
    const output = tower.forward(pixels(1, 3, 17, 20), { interpolatePositions: true });
    expect(output.lastHiddenState.shape).toEqual([1, 1 + 4 * 5, 16]);
    expect(() => tower.forward(pixels(1, 3, 3, 12), { interpolatePositions: true })).toThrow(ShapeError);
    expect(() => tower.forward(pixels(1, 1, 12, 12))).toThrow(ShapeError);
  });

  it('interpolating to its own size changes nothing', async () => {
    const tower = new ClipVisionTower(small).initialize(1);
    const input = pixels(1, 3, 12, 12);
    const plain = await tower.forward(input).poolerOutput.data();
    const interpolated = await tower.forward(input, { interpolatePositions: true }).poolerOutput.data();
    expect([...interpolated]).toEqual([...plain]);
  });
});

describe('parseClipVisionConfig', () => {
  it('fills in the defaults of ViT-B/32 and survives JSON', () => {
    const config = parseClipVisionConfig({});
    expect(config).toMatchObject({ hiddenSize: 768, patchSize: 32, hiddenAct: 'quick_gelu', layerNormEps: 1e-5 });
    expect(parseClipVisionConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseClipVisionConfig({ hiddenSizes: 3 } as object)).toThrow('"hiddenSizes"');
    expect(() => parseClipVisionConfig({ numAttentionHeads: 7 })).toThrow('numAttentionHeads: must divide hiddenSize');
    expect(() => parseClipVisionConfig({ imageSize: 16 })).toThrow('patchSize');
    expect(() => parseClipVisionConfig({ hiddenAct: 'none' as 'gelu' })).toThrow(ConfigError);
  });
});
