import {
  ConfigError,
  closeEngine,
  initializers,
  materialize,
  mul,
  randomKey,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  parseSamVisionConfig,
  SamVisionEncoder,
  samVisionConfigFromHuggingFace,
  samVisionConfigs,
} from '../../src/index.js';

const small = {
  hiddenSize: 16,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  imageSize: 24,
  patchSize: 4,
  windowSize: 4,
  globalAttentionIndexes: [1],
  outputChannels: 6,
} as const;

function pixels(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('pixels')), shape);
}

afterAll(closeEngine);

describe('SamVisionEncoder', () => {
  it("has Eagle's published size and structure", () => {
    const encoder = new SamVisionEncoder(samVisionConfigs['eagle-sam-vit-large']);
    expect(encoder.parameterCount()).toBe(307_687_936);
    const shapes = Object.fromEntries(
      Object.entries(encoder.namedParameters()).map(([name, { shape }]) => [name, shape.join()]),
    );
    expect(shapes).toMatchObject({
      pos_embed: '1,64,64,1024',
      'patch_embed.projection.weight': '1024,3,16,16',
      'layers.0.attn.qkv.weight': '3072,1024',
      'layers.4.attn.rel_pos_h': '27,64',
      'layers.5.attn.rel_pos_w': '127,64',
      'layers.23.attn.rel_pos_h': '127,64',
      'layers.23.mlp.lin1.weight': '4096,1024',
      'neck.conv1.weight': '256,1024,1,1',
      'neck.layer_norm1.weight': '256',
    });
    expect(shapes).not.toHaveProperty('neck.conv2.weight');
    expect([encoder.width, ...encoder.featureGrid()]).toEqual([1024, 32, 32]);
    expect(encoder.features(zeros([1, 3, 1024, 1024])).shape).toEqual([1, 1024, 1024]);
  });

  it('has its own neck beside that of Eagle', () => {
    const encoder = new SamVisionEncoder(samVisionConfigs['sam-vit-large']);
    const { neck } = encoder;
    expect(neck.parameterCount()).toBe(256 * 1024 + 256 * 256 * 9 + 4 * 256);
    expect(encoder.featureGrid()).toEqual([64, 64]);
    expect(encoder.forward(zeros([2, 3, 1024, 1024])).featureMap.shape).toEqual([2, 256, 64, 64]);
  });

  it('gives every hidden state, and the map behind the neck as tokens', async () => {
    const encoder = new SamVisionEncoder({ ...small, neck: 'short', pixelUnshuffle: 2 }).initialize(1);
    const { hiddenStates, featureMap } = encoder.forward(pixels(2, 3, 24, 24));
    expect(hiddenStates.map(({ shape }) => shape)).toEqual(new Array(4).fill([2, 36, 16]));
    expect(featureMap.shape).toEqual([2, 24, 3, 3]);
    const [map, tokens] = [await featureMap.data(), await encoder.features(pixels(2, 3, 24, 24)).data()];
    for (const [image, cell, channel] of [
      [0, 0, 0],
      [1, 4, 3],
      [1, 8, 23],
    ] as const) {
      expect(map[(image * 24 + channel) * 9 + cell]).toBe(tokens[(image * 9 + cell) * 24 + channel]);
    }
  });

  it('unshuffles with the channel outermost', async () => {
    const options = { ...small, neck: 'short' } as const;
    const plain = await new SamVisionEncoder(options)
      .initialize(1)
      .forward(pixels(1, 3, 24, 24))
      .featureMap.data();
    const encoder = new SamVisionEncoder({ ...options, pixelUnshuffle: 2 }).initialize(1);
    const unshuffled = await encoder.forward(pixels(1, 3, 24, 24)).featureMap.data();
    for (const [c, dy, dx, i, j] of [
      [0, 0, 0, 0, 0],
      [5, 1, 0, 2, 1],
      [3, 0, 1, 1, 2],
    ] as const) {
      expect(unshuffled[((c * 4 + dy * 2 + dx) * 3 + i) * 3 + j]).toBe(plain[(c * 6 + 2 * i + dy) * 6 + 2 * j + dx]);
    }
  });

  it('starts as the originals', async () => {
    const shape = { ...small, hiddenSize: 64, outputChannels: 64 } as const;
    const deviation = async (encoder: SamVisionEncoder, name: string) => {
      const values = (await encoder.namedParameters()[name]!.data()) as Float32Array;
      return Math.sqrt(values.reduce((total, value) => total + value ** 2, 0) / values.length);
    };
    const own = new SamVisionEncoder(shape).initialize(3);
    expect(await deviation(own, 'layers.0.attn.qkv.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation(own, 'neck.conv2.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation(own, 'pos_embed')).toBe(0);
    expect(await deviation(own, 'layers.1.attn.rel_pos_w')).toBe(0);
    expect(await deviation(own, 'layers.1.mlp.lin2.bias')).toBe(0);
    // As any convolution of PyTorch: uniform within 1/√64.
    const eagle = new SamVisionEncoder({ ...shape, neck: 'short' }).initialize(3);
    expect(await deviation(eagle, 'neck.conv1.weight')).toBeCloseTo(1 / 8 / Math.sqrt(3), 2);
    expect(await deviation(eagle, 'neck.layer_norm1.weight')).toBe(1);
  });

  it('uses every parameter', async () => {
    const encoder = new SamVisionEncoder(small).initialize(1);
    const weights = pixels(1, 36, 6);
    const input = pixels(1, 3, 24, 24);
    const { grads } = valueAndGrad(() => sum(mul(encoder.features(input), weights)), encoder.namedParameters());
    await materialize(Object.values(grads));
    for (const [name, gradient] of Object.entries(grads)) {
      const values = (await gradient.data()) as Float32Array;
      expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(0);
    }
  });

  it('goes without positions where they are switched off', () => {
    const encoder = new SamVisionEncoder({ ...small, useAbsolutePositions: false, useRelativePositions: false });
    const names = Object.keys(encoder.namedParameters());
    expect(names.filter((name) => /pos/.test(name))).toEqual([]);
    expect(encoder.features(pixels(1, 3, 24, 24)).shape).toEqual([1, 36, 6]);
  });

  it('takes other image sizes only when positions may be interpolated', async () => {
    const encoder = new SamVisionEncoder({ ...small, pixelUnshuffle: 2 }).initialize(1);
    expect(() => encoder.features(pixels(1, 3, 32, 24))).toThrow('interpolatePositions');
    const { featureMap } = encoder.forward(pixels(1, 3, 32, 16), { interpolatePositions: true });
    expect(featureMap.shape).toEqual([1, 24, 4, 2]);
    expect(encoder.featureGrid(32, 16)).toEqual([4, 2]);
    expect((await featureMap.data()).every((value: number | bigint) => Number.isFinite(Number(value)))).toBe(true);
    expect(() => encoder.forward(pixels(1, 3, 28, 24), { interpolatePositions: true })).toThrow('multiples of 2');
    expect(() => encoder.forward(pixels(1, 4, 24, 24))).toThrow(ShapeError);
    const same = await encoder.features(pixels(1, 3, 24, 24), { interpolatePositions: true }).data();
    expect([...same]).toEqual([...(await encoder.features(pixels(1, 3, 24, 24)).data())]);
  });

  it('offers no choice of layers', () => {
    const encoder: { features(x: Tensor, options: { layer: number }): Tensor } = new SamVisionEncoder(small) as never;
    expect(() => encoder.features(pixels(1, 3, 24, 24), { layer: -2 })).toThrow('behind the neck');
  });
});

describe('parseSamVisionConfig', () => {
  it('fills in the defaults of SAM ViT-B and survives JSON', () => {
    const config = parseSamVisionConfig({});
    expect(config).toMatchObject({
      type: 'sam',
      hiddenSize: 768,
      intermediateSize: 3072,
      windowSize: 14,
      neck: 'full',
    });
    expect(parseSamVisionConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseSamVisionConfig({ hiddenSizes: 3 } as object)).toThrow('"hiddenSizes"');
    expect(() => parseSamVisionConfig({ numAttentionHeads: 7 })).toThrow('numAttentionHeads: must divide hiddenSize');
    expect(() => parseSamVisionConfig({ globalAttentionIndexes: [12] })).toThrow('globalAttentionIndexes');
    expect(() => parseSamVisionConfig({ pixelUnshuffle: 5 })).toThrow('pixelUnshuffle');
    expect(() => parseSamVisionConfig({ patchSize: 2000 })).toThrow('patchSize');
    expect(() => parseSamVisionConfig({ neck: 'long' as 'full' })).toThrow(ConfigError);
  });
});

describe('samVisionConfigFromHuggingFace', () => {
  /** What of facebook/sam-vit-large's `config.json` concerns the encoder. */
  const large = {
    model_type: 'sam',
    initializer_range: 0.02,
    mask_decoder_config: { hidden_size: 256 },
    vision_config: {
      model_type: '',
      hidden_size: 1024,
      num_hidden_layers: 24,
      num_attention_heads: 16,
      global_attn_indexes: [5, 11, 17, 23],
      mlp_dim: null,
      mlp_ratio: 4.0,
      initializer_range: 1e-10,
      window_size: 14,
    },
  };

  it('reads the published file, and what Eagle makes of it', () => {
    expect(samVisionConfigFromHuggingFace(large)).toEqual(samVisionConfigs['sam-vit-large']);
    expect(samVisionConfigFromHuggingFace(large, { neck: 'short', pixelUnshuffle: 2 })).toEqual(
      samVisionConfigs['eagle-sam-vit-large'],
    );
    expect(samVisionConfigFromHuggingFace({})).toEqual(samVisionConfigs['sam-vit-base']);
    const wide = samVisionConfigFromHuggingFace({
      model_type: 'sam_vision_model',
      hidden_size: 1280,
      mlp_dim: 5120,
      num_attention_heads: 16,
    });
    expect(wide.intermediateSize).toBe(5120);
  });

  it('refuses another kind of model, and dropped attention weights', () => {
    expect(() => samVisionConfigFromHuggingFace({ model_type: 'sam2' })).toThrow('"sam2"');
    expect(() => samVisionConfigFromHuggingFace({ attention_dropout: 0.1 })).toThrow('attention_dropout');
  });
});
