import { ConfigError, closeEngine, sliceAxis, sum, tensor, valueAndGrad, zeros } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { Llama, llamaConfigs, parseLlamaConfig } from '../../src/index.js';
import { difference, ids, normalTensor, smallConfig, smallModel } from '../support.js';

afterAll(closeEngine);

describe('published models', () => {
  it.each([
    ['vicuna-7b-v1.5', 6_738_415_616],
    ['vicuna-13b-v1.5', 13_015_864_320],
    ['llama-3-8b', 8_030_261_248],
    ['yi-34b', 34_388_917_248],
    ['qwen2-0.5b', 494_032_768],
    ['qwen2-7b', 7_615_616_512],
  ] as const)('%s has its number of parameters', (name, parameters) => {
    const model = new Llama(llamaConfigs[name]);
    expect(model.parameterCount()).toBe(parameters);
    const { logits } = model.forward({ inputIds: zeros([2, 40], 'int32') });
    expect(logits.shape).toEqual([2, 40, model.config.vocabSize]);
  });
});

describe('Llama.forward', () => {
  const model = smallModel();

  it('takes ids or their vectors', async () => {
    const inputIds = ids([[1, 5, 9, 2]]);
    const fromIds = model.forward({ inputIds });
    const fromVectors = model.forward({ inputsEmbeds: model.embed(inputIds) });
    expect(await difference(fromIds.logits, fromVectors.logits)).toBe(0);
    expect(fromIds.hiddenStates.length).toBe(3);
    expect(fromIds.loss).toBeUndefined();
  });

  it('does not look ahead', async () => {
    const short = model.forward({ inputIds: ids([[1, 5, 9]]) });
    const long = model.forward({ inputIds: ids([[1, 5, 9, 2, 7]]) });
    expect(await difference(short.logits, sliceAxis(long.logits, 1, 0, 3))).toBeLessThan(1e-4);
  });

  it('does not look at padding on either side', async () => {
    const plain = model.forward({ inputIds: ids([[1, 5, 9]]) });
    const right = model.forward({ inputIds: ids([[1, 5, 9, 0, 0]]), attentionMask: ids([[1, 1, 1, 0, 0]]) });
    const left = model.forward({ inputIds: ids([[0, 0, 1, 5, 9]]), attentionMask: ids([[0, 0, 1, 1, 1]]) });
    expect(await difference(plain.logits, sliceAxis(right.logits, 1, 0, 3))).toBeLessThan(1e-4);
    expect(await difference(plain.logits, sliceAxis(left.logits, 1, 2))).toBeLessThan(1e-3);
    const padded = (await left.logits.data()) as Float32Array;
    expect(padded.every(Number.isFinite)).toBe(true);
  });

  it('averages the loss over the labels that count, in the whole batch', async () => {
    const inputIds = ids([
      [1, 5, 9, 2],
      [3, 4, 8, 6],
    ]);
    const loss = (labels: number[]) =>
      model.forward({ inputIds, labels: ids([labels.slice(0, 4), labels.slice(4)]) }).loss!.item();
    const { logits } = model.forward({ inputIds });
    const values = (await logits.data()) as Float32Array;
    const surprise = (row: number, place: number, label: number) => {
      const scores = [...values.slice((row * 4 + place) * 31, (row * 4 + place + 1) * 31)];
      return Math.log(scores.reduce((total, score) => total + Math.exp(score), 0)) - scores[label]!;
    };
    // The first label of a row is never predicted.
    const three = (surprise(0, 0, 5) + surprise(0, 2, 2) + surprise(1, 2, 6)) / 3;
    expect(await loss([1, 5, -100, 2, 3, -100, -100, 6])).toBeCloseTo(three, 4);
    expect(await loss([1, -100, -100, -100, 3, -100, -100, -100])).toBeNaN();
  });

  it('gives the padding row no gradient from look-ups', async () => {
    const padded = smallModel({ padTokenId: 2 });
    const { grads } = valueAndGrad(
      () => sum(padded.forward({ inputIds: ids([[1, 2, 3]]) }).logits),
      padded.namedParameters(),
    );
    const rows = (await grads['model.embed_tokens.weight']!.data()) as Float32Array;
    const largest = (row: number) => Math.max(...rows.slice(row * 32, (row + 1) * 32).map(Math.abs));
    expect(largest(2)).toBe(0);
    expect(largest(1)).toBeGreaterThan(0);
    expect(largest(3)).toBeGreaterThan(0);
  });

  it('has no head of its own when tied', async () => {
    const tied = smallModel({ tieWordEmbeddings: true });
    expect(Object.keys(tied.namedParameters())).not.toContain('lm_head.weight');
    expect(tied.forward({ inputIds: ids([[1, 2]]) }).logits.shape).toEqual([1, 2, 31]);
  });

  it('lets hooks change the residual stream, or the input of attention alone', async () => {
    const inputIds = ids([[1, 5, 9]]);
    const plain = model.forward({ inputIds });
    const seen: number[] = [];
    const same = model.forward({
      inputIds,
      hooks: {
        beforeLayer: (hidden, { layer }) => {
          seen.push(layer);
          return hidden;
        },
      },
    });
    expect(seen).toEqual([0, 1]);
    expect(await difference(plain.logits, same.logits)).toBe(0);
    const normalizedOnly = model.forward({
      inputIds,
      hooks: { beforeAttention: (normalized, { layer }) => (layer === 1 ? zeros(normalized.shape) : normalized) },
    });
    expect(await difference(plain.hiddenStates[1]!, normalizedOnly.hiddenStates[1]!)).toBe(0);
    expect(await difference(plain.logits, normalizedOnly.logits)).toBeGreaterThan(0.01);
    const replaced = model.forward({ inputIds, hooks: { beforeLayer: () => normalTensor(1, 3, 32) } });
    const direct = model.forward({
      inputsEmbeds: normalTensor(1, 3, 32),
      hooks: { beforeLayer: () => normalTensor(1, 3, 32) },
    });
    expect(await difference(replaced.logits, direct.logits)).toBe(0);
  });

  it('names what does not fit', () => {
    expect(() => model.forward({})).toThrow('either inputIds or inputsEmbeds, received neither');
    const inputIds = ids([[1, 2]]);
    expect(() => model.forward({ inputIds, inputsEmbeds: zeros([1, 2, 32]) })).toThrow('received both');
    expect(() => model.forward({ inputIds: tensor(Int32Array.of(1, 2)) })).toThrow('inputIds [batch, tokens]');
    expect(() => model.forward({ inputsEmbeds: zeros([1, 2, 31]) })).toThrow('[batch, tokens, 32]');
    expect(() => model.forward({ inputIds, attentionMask: ids([[1]]) })).toThrow('attentionMask [1, 2]');
    expect(() => model.forward({ inputIds, labels: ids([[1, 2, 3]]) })).toThrow('labels [1, 2]');
    expect(() => model.prefill({ inputIds, capacity: 1 })).toThrow("a capacity of at least the prompt's 2 tokens");
  });

  it('starts from N(0, 0.02²), norms at 1', async () => {
    const fresh = new Llama({ ...smallConfig, vocabSize: 500 }).initialize(0).namedParameters();
    const deviation = async (name: string) => {
      const values = (await fresh[name]!.data()) as Float32Array;
      return Math.sqrt(values.reduce((total, value) => total + value ** 2, 0) / values.length);
    };
    expect(await deviation('model.embed_tokens.weight')).toBeCloseTo(0.02, 3);
    expect(await deviation('model.layers.1.mlp.down_proj.weight')).toBeCloseTo(0.02, 2.5);
    expect(await deviation('model.norm.weight')).toBe(1);
  });
});

describe('parseLlamaConfig', () => {
  it('derives heads and widths, and survives JSON', () => {
    const config = parseLlamaConfig({ numKeyValueHeads: 8, ropeScaling: { type: 'linear', factor: 4 } });
    expect(config).toMatchObject({ headDim: 128, numKeyValueHeads: 8, attentionOutputBias: false });
    expect(parseLlamaConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(new Llama(smallConfig).config).toEqual(parseLlamaConfig(smallConfig));
  });

  it.each([
    [{ hidden_size: 32 }, '"hidden_size"'],
    [{ numKeyValueHeads: 5 }, 'numKeyValueHeads: must divide numAttentionHeads'],
    [{ hiddenSize: 100, numAttentionHeads: 3, numKeyValueHeads: 3 }, 'numAttentionHeads'],
    [{ ropeScaling: { type: 'cubic', factor: 2 } }, 'ropeScaling.type'],
    [{ ropeScaling: { type: 'linear', factor: 0.5 } }, 'ropeScaling.factor'],
    [{ padTokenId: 32000 }, 'padTokenId: must be below vocabSize'],
  ])('names what is wrong with %j', (config, message) => {
    expect(() => parseLlamaConfig(config as object)).toThrow(ConfigError);
    expect(() => parseLlamaConfig(config as object)).toThrow(message);
  });
});
