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
  Eva02VisionEncoder,
  eva02VisionConfigFromOriginal,
  eva02VisionConfigs,
  parseEva02VisionConfig,
} from '../../src/index.js';

const small = {
  hiddenSize: 16,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  imageSize: 24,
  patchSize: 4,
  windowSize: 4,
  pretrainImageSize: 12,
} as const;

function pixels(...shape: number[]): Tensor {
  return tensor(initializers.normal()(shape, randomKey('pixels')), shape);
}

/** Largest difference of two tensors' values. */
async function difference(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = [(await a.data()) as Float32Array, await b.data()];
  return x.reduce((most, value, index) => Math.max(most, Math.abs(value - Number(y[index]))), 0);
}

afterAll(closeEngine);

describe('Eva02VisionEncoder', () => {
  it('has the published size and structure', () => {
    const encoder = new Eva02VisionEncoder(eva02VisionConfigs['eva02-large-det']);
    expect(encoder.parameterCount()).toBe(303_388_608);
    expect(encoder.config.intermediateSize).toBe(2730);
    expect(encoder.blocks.flatMap(({ windowSize }, index) => (windowSize === undefined ? [index] : []))).toEqual([
      2, 5, 8, 11, 14, 17, 20, 23,
    ]);
    const shapes = Object.fromEntries(
      Object.entries(encoder.namedParameters()).map(([name, { shape }]) => [name, shape.join()]),
    );
    expect(shapes).toMatchObject({
      pos_embed: '1,197,1024',
      'patch_embed.proj.weight': '1024,3,16,16',
      'blocks.23.attn.q_proj.weight': '1024,1024',
      'blocks.23.attn.q_bias': '1024',
      'blocks.0.mlp.w1.weight': '2730,1024',
      'blocks.0.mlp.ffn_ln.bias': '2730',
      'blocks.0.mlp.w3.weight': '1024,2730',
    });
    expect(shapes).not.toHaveProperty('blocks.0.attn.k_bias');
    expect(encoder.featureGrid()).toEqual([64, 64]);
    expect(encoder.features(zeros([1, 3, 1024, 1024])).shape).toEqual([1, 4096, 1024]);
  });

  it('starts as the original', async () => {
    const encoder = new Eva02VisionEncoder({ ...small, hiddenSize: 64 }).initialize(3);
    const values = async (name: string) => (await encoder.namedParameters()[name]!.data()) as Float32Array;
    const deviation = (x: Float32Array) => Math.sqrt(x.reduce((total, value) => total + value ** 2, 0) / x.length);
    const largest = (x: Float32Array) => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(deviation(await values('pos_embed'))).toBeCloseTo(0.02, 2.5);
    expect(largest(await values('blocks.0.attn.q_bias'))).toBe(0);
    expect(largest(await values('blocks.0.attn.k_proj.weight'))).toBeLessThanOrEqual(1 / 8);
    expect(deviation(await values('blocks.0.attn.k_proj.weight'))).toBeCloseTo(1 / 8 / Math.sqrt(3), 2);
    expect(deviation(await values('blocks.1.mlp.ffn_ln.weight'))).toBe(1);
  });

  it('gives every hidden state as tokens and the last one as a map', async () => {
    const encoder = new Eva02VisionEncoder(small).initialize(1);
    const input = pixels(2, 3, 24, 24);
    const { hiddenStates, featureMap } = encoder.forward(input);
    expect(hiddenStates.map(({ shape }) => shape)).toEqual(new Array(4).fill([2, 36, 16]));
    expect(featureMap.shape).toEqual([2, 16, 6, 6]);
    const [map, tokens] = [await featureMap.data(), await encoder.features(input).data()];
    for (const [image, cell, channel] of [
      [0, 0, 0],
      [1, 7, 3],
      [1, 35, 15],
    ] as const) {
      expect(map[(image * 16 + channel) * 36 + cell]).toBe(tokens[(image * 36 + cell) * 16 + channel]);
    }
    expect(await difference(encoder.features(input, { layer: 1 }), hiddenStates[1]!)).toBe(0);
    expect(await difference(encoder.features(input, { layer: -4 }), hiddenStates[0]!)).toBe(0);
    expect(() => encoder.features(input, { layer: 4 })).toThrow('between -4 and 3');
  });

  it('attends within windows where it is told to', async () => {
    const local = new Eva02VisionEncoder({ ...small, windowBlockIndexes: [0, 1, 2] }).initialize(1);
    const shifted = async (encoder: Eva02VisionEncoder) => {
      const input = (await pixels(1, 3, 24, 24).data()).slice() as Float32Array;
      input[23 * 24 + 23]! += 1; // in the patch of the last row and column: the fourth window
      const before = await encoder.features(pixels(1, 3, 24, 24)).data();
      const after = await encoder.features(tensor(input, [1, 3, 24, 24])).data();
      return before.slice(0, 16).some((value, channel) => value !== after[channel]);
    };
    expect(await shifted(local)).toBe(false);
    expect(await shifted(new Eva02VisionEncoder(small).initialize(1))).toBe(true);
  });

  it('uses every parameter but the position of the class token', async () => {
    const encoder = new Eva02VisionEncoder({ ...small, attentionNorm: true }).initialize(1);
    const input = pixels(1, 3, 24, 24);
    const weights = pixels(1, 36, 16);
    const { grads } = valueAndGrad(() => {
      const features = encoder.features(input);
      return sum(mul(features, weights));
    }, encoder.namedParameters());
    await materialize(Object.values(grads));
    for (const [name, gradient] of Object.entries(grads)) {
      const values = (await gradient.data()) as Float32Array;
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest, name).toBeGreaterThan(0);
      if (name === 'pos_embed') expect(values.slice(0, 16).every((value) => value === 0)).toBe(true);
    }
    expect(Object.keys(grads)).toContain('blocks.0.attn.inner_attn_ln.weight');
  });

  it('takes other image sizes only when positions may be interpolated', () => {
    const encoder = new Eva02VisionEncoder(small);
    expect(() => encoder.features(pixels(1, 3, 24, 28))).toThrow('interpolatePositions');
    const output = encoder.forward(pixels(1, 3, 30, 20), { interpolatePositions: true });
    expect(output.featureMap.shape).toEqual([1, 16, 7, 5]);
    expect(encoder.featureGrid(30, 20)).toEqual([7, 5]);
    expect(() => encoder.forward(pixels(1, 3, 3, 24), { interpolatePositions: true })).toThrow(ShapeError);
    expect(() => encoder.forward(pixels(1, 1, 24, 24))).toThrow(ShapeError);
  });

  it('takes the positions as they are where the grid is theirs', async () => {
    const encoder = new Eva02VisionEncoder({ ...small, pretrainImageSize: 24 }).initialize(1);
    const input = zeros([1, 3, 24, 24]);
    const [state, table, bias] = await Promise.all(
      [encoder.features(input, { layer: 0 }), encoder.pos_embed, encoder.patch_embed.proj.bias!].map((x) => x.data()),
    );
    const expected = [...table!.slice(16)].map((value, index) => Number(value) + Number(bias![index % 16]));
    [...state!].forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 6);
    });
  });
});

describe('parseEva02VisionConfig', () => {
  it('fills in the defaults of EVA-02-L and survives JSON', () => {
    const config = parseEva02VisionConfig({});
    expect(config).toMatchObject({ type: 'eva02', hiddenSize: 1024, intermediateSize: 2730, layerNormEps: 1e-6 });
    expect(parseEva02VisionConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parseEva02VisionConfig({ hiddenSizes: 3 } as object)).toThrow('"hiddenSizes"');
    expect(() => parseEva02VisionConfig({ hiddenSize: 96, numAttentionHeads: 16 })).toThrow('multiple of 4');
    expect(() => parseEva02VisionConfig({ windowBlockIndexes: [24] })).toThrow('windowBlockIndexes');
    expect(() => parseEva02VisionConfig({ patchSize: 300 })).toThrow('patchSize');
    expect(() => parseEva02VisionConfig({ type: 'sam' as 'eva02' })).toThrow(ConfigError);
  });
});

describe('eva02VisionConfigFromOriginal', () => {
  const original = {
    img_size: 1024,
    patch_size: 16,
    window_size: 16,
    embed_dim: 1024,
    depth: 24,
    num_heads: 16,
    mlp_ratio: (4 * 2) / 3,
    window_block_indexes: [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22],
    drop_path_rate: 0,
  };

  it('reads the arguments that Eagle gives', () => {
    expect(eva02VisionConfigFromOriginal(original)).toEqual(eva02VisionConfigs['eva02-large-det']);
  });

  it('has no windows where their size is 0', () => {
    expect(eva02VisionConfigFromOriginal({ ...original, window_size: 0 }).windowBlockIndexes).toEqual([]);
  });

  it('refuses what the encoder does not have', () => {
    expect(() => eva02VisionConfigFromOriginal({ ...original, drop_path_rate: 0.3 })).toThrow('drop_path_rate');
    expect(() => eva02VisionConfigFromOriginal({ ...original, use_rel_pos: true })).toThrow('use_rel_pos');
    expect(() => eva02VisionConfigFromOriginal({ ...original, intp_freq: false })).toThrow('intp_freq');
    const fitting = { ...original, img_size: 256, intp_freq: false };
    expect(eva02VisionConfigFromOriginal(fitting).imageSize).toBe(256);
  });
});
