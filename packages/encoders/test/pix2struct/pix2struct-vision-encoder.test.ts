import {
  ConfigError,
  closeEngine,
  initializers,
  randomKey,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  Pix2StructVisionEncoder,
  parsePix2StructVisionConfig,
  pix2structVisionConfigFromHuggingFace,
  pix2structVisionConfigs,
} from '../../src/index.js';

const small = {
  hiddenSize: 12,
  patchEmbedHiddenSize: 12,
  intermediateSize: 20,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  headDim: 5,
  sequenceLength: 8,
} as const;

/** Patches of one grid row, `filled` of them, then padding; [1, tokens, 14]. */
function patches(filled: number, tokens: number): Tensor {
  const data = new Float32Array(tokens * 14);
  data.set(initializers.normal()([filled * 14], randomKey('patches')));
  for (let token = 0; token < filled; token++) data.set([1, token + 1], token * 14);
  return tensor(data, [1, tokens, 14]);
}

afterAll(closeEngine);

describe('Pix2StructVisionEncoder', () => {
  it('has the published size and structure', () => {
    const encoder = new Pix2StructVisionEncoder(pix2structVisionConfigs['pix2struct-large']);
    expect(encoder.parameterCount()).toBe(512_812_032);
    const shapes = Object.fromEntries(
      Object.entries(encoder.namedParameters()).map(([name, { shape }]) => [name, shape.join()]),
    );
    expect(shapes).toMatchObject({
      'embeddings.patch_projection.weight': '1536,768',
      'embeddings.patch_projection.bias': '1536',
      'embeddings.row_embedder.weight': '4096,1536',
      'embeddings.column_embedder.weight': '4096,1536',
      'encoder.layer.17.attention.query.weight': '1536,1536',
      'encoder.layer.17.pre_attention_layer_norm.weight': '1536',
      'encoder.layer.17.mlp.wi_1.weight': '3968,1536',
      'encoder.layer.17.mlp.wo.weight': '1536,3968',
      'layernorm.weight': '1536',
    });
    expect(Object.keys(shapes).filter((name) => name.endsWith('.bias'))).toEqual(['embeddings.patch_projection.bias']);
    expect(encoder.featureGrid()).toEqual([45, 45]);
    expect(encoder.featureGrid(100, 400)).toEqual([22, 90]);
    expect(encoder.featureGrid(3, 50_000)).toEqual([1, 2048]);
    expect(encoder.features(zeros([2, 2048, 770])).shape).toEqual([2, 2048, 1536]);
  });

  it('starts as the original', async () => {
    const encoder = new Pix2StructVisionEncoder({ ...small, hiddenSize: 64, sequenceLength: 64 }).initialize(2);
    const deviation = async (name: string) => {
      const values = (await encoder.namedParameters()[name]!.data()) as Float32Array;
      return Math.sqrt(values.reduce((total, value) => total + value ** 2, 0) / values.length);
    };
    expect(await deviation('embeddings.row_embedder.weight')).toBeCloseTo(1 / 8, 2);
    expect(await deviation('encoder.layer.0.mlp.wi_0.weight')).toBeCloseTo(0.02, 2.5);
    expect(await deviation('embeddings.patch_projection.weight')).toBeCloseTo(0.02, 2.5);
    expect(await deviation('embeddings.patch_projection.bias')).toBe(0);
    expect(await deviation('layernorm.weight')).toBe(1);
    const fixed = new Pix2StructVisionEncoder({ ...small, initializerRange: 0, initializerFactor: 3 });
    expect([...(await fixed.layernorm.weight.data())]).toEqual(new Array(12).fill(3));
    const query = await fixed.namedParameters()['encoder.layer.0.attention.query.weight']!.data();
    expect(query.every((value: number | bigint) => value === 0)).toBe(true);
  });

  it('sees no padding, whether told of it or not', async () => {
    const encoder = new Pix2StructVisionEncoder(small).initialize(1);
    const bare = await encoder.features(patches(4, 4), { attentionMask: null }).data();
    const mask = tensor(Float32Array.of(1, 1, 1, 1, 0, 0, 0), [1, 7]);
    for (const options of [{}, { attentionMask: mask }]) {
      const padded = await encoder.features(patches(4, 7), options).data();
      bare.forEach((value: number | bigint, index: number) => {
        expect(Number(padded[index])).toBeCloseTo(Number(value), 5);
      });
    }
    const seen = await encoder.features(patches(4, 7), { attentionMask: null }).data();
    expect(Math.abs(Number(seen[0]) - Number(bare[0]))).toBeGreaterThan(1e-4);
  });

  it('stays finite where everything is padding', async () => {
    const encoder = new Pix2StructVisionEncoder(small).initialize(1);
    const values = (await encoder.features(patches(0, 3)).data()) as Float32Array;
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it('gives every hidden state, and by default the norm of the last one', async () => {
    const encoder = new Pix2StructVisionEncoder(small).initialize(1);
    const input = patches(4, 5);
    const { hiddenStates, lastHiddenState } = encoder.forward(input);
    expect(hiddenStates.map(({ shape }) => shape)).toEqual(new Array(3).fill([1, 5, 12]));
    const state = await hiddenStates[1]!.data();
    expect([...(await encoder.features(input, { layer: -2 }).data())]).toEqual([...state]);
    const normed = await lastHiddenState.data();
    expect([...(await encoder.features(input).data())]).toEqual([...normed]);
    const last = (await hiddenStates[2]!.data()).slice(0, 12) as Float32Array;
    const scale = Math.sqrt(last.reduce((total, value) => total + value ** 2, 0) / 12 + 1e-6);
    last.forEach((value, channel) => {
      expect(Number(normed[channel])).toBeCloseTo(value / scale, 5);
    });
    expect(() => encoder.features(input, { layer: 3 })).toThrow('between -3 and 2');
  });

  it('refuses other shapes', () => {
    const encoder = new Pix2StructVisionEncoder(small);
    expect(() => encoder.features(zeros([1, 5, 12]))).toThrow(ShapeError);
    expect(() => encoder.features(zeros([1, 3, 16, 16]))).toThrow('[batch, tokens, 14]');
    expect(() => encoder.features(patches(4, 5), { attentionMask: zeros([1, 4]) })).toThrow(ShapeError);
  });
});

describe('parsePix2StructVisionConfig', () => {
  it('fills in the defaults of Pix2Struct-base and survives JSON', () => {
    const config = parsePix2StructVisionConfig({});
    expect(config).toMatchObject({
      type: 'pix2struct',
      hiddenSize: 768,
      intermediateSize: 2048,
      hiddenAct: 'gelu_new',
    });
    expect(parsePix2StructVisionConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('names what is wrong', () => {
    expect(() => parsePix2StructVisionConfig({ dff: 3 } as object)).toThrow('"dff"');
    expect(() => parsePix2StructVisionConfig({ headDim: 0 })).toThrow('headDim');
    expect(() => parsePix2StructVisionConfig({ hiddenAct: 'none' as 'gelu' })).toThrow(ConfigError);
  });
});

describe('pix2structVisionConfigFromHuggingFace', () => {
  const large = {
    model_type: 'pix2struct',
    initializer_range: 0.02,
    text_config: { hidden_size: 1536 },
    vision_config: {
      model_type: 'pix2struct_vision_model',
      hidden_size: 1536,
      d_ff: 3968,
      d_kv: 64,
      num_hidden_layers: 18,
      num_attention_heads: 24,
      seq_len: 4096,
      patch_embed_hidden_size: 768,
      dense_act_fn: 'gelu_new',
      initializer_range: 1e-10,
      dropout_rate: 0.0,
    },
  };

  it('reads the published file', () => {
    expect(pix2structVisionConfigFromHuggingFace(large)).toEqual(pix2structVisionConfigs['pix2struct-large']);
    expect(pix2structVisionConfigFromHuggingFace({})).toEqual(pix2structVisionConfigs['pix2struct-base']);
    const alone = pix2structVisionConfigFromHuggingFace({ ...large.vision_config, layer_norm_eps: 1e-5 });
    expect(alone).toMatchObject({ hiddenSize: 1536, layerNormEps: 1e-5, initializerRange: 1e-10 });
  });

  it('refuses another kind of model, and dropout', () => {
    expect(() => pix2structVisionConfigFromHuggingFace({ model_type: 'donut' })).toThrow('"donut"');
    const dropping = { ...large, vision_config: { ...large.vision_config, dropout_rate: 0.1 } };
    expect(() => pix2structVisionConfigFromHuggingFace(dropping)).toThrow('dropout_rate');
  });
});
