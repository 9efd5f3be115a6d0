import {
  ConfigError,
  closeEngine,
  initializers,
  mul,
  randomKey,
  ShapeError,
  streamKey,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  extendedAttentionMask,
  parseRobertaConfig,
  positionsOfIds,
  Roberta,
  RobertaForMaskedLm,
  robertaConfigs,
} from '../../src/index.js';

const small = {
  vocabSize: 20,
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 12,
  typeVocabSize: 2,
  layerNormEps: 1e-5,
} as const;

const ids = (...rows: number[][]) => tensor(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length]);

const values = async (x: Tensor) => [...((await x.data()) as Float32Array)];

afterAll(closeEngine);

describe('Roberta', () => {
  it('roberta-base has the published size', () => {
    const model = new Roberta(robertaConfigs['roberta-base']);
    expect(model.parameterCount()).toBe(124_645_632);
    expect(model.layers.length).toBe(12);
    expect(model.forward({ inputIds: zeros([1, 512], 'int32') }).poolerOutput!.shape).toEqual([1, 768]);
    expect(new Roberta(robertaConfigs['roberta-large']).parameterCount()).toBe(355_359_744);
  });

  it('starts with the published initialisation', async () => {
    const model = new Roberta({ ...small, vocabSize: 200 }).initialize(3);
    const data = async (name: string) => (await model.namedParameters()[name]!.data()) as Float32Array;
    const words = await data('embeddings.word_embeddings.weight');
    const deviation = Math.sqrt(words.reduce((total, value) => total + value ** 2, 0) / words.length);
    expect(deviation).toBeCloseTo(0.02, 2.5);
    const positions = await data('embeddings.position_embeddings.weight');
    for (const table of [words, positions]) {
      expect(table.slice(16, 32).every((value) => value === 0)).toBe(true);
      expect(table.slice(32, 48).some((value) => value !== 0)).toBe(true);
    }
    expect((await data('pooler.dense.bias')).every((value) => value === 0)).toBe(true);
  });

  it('counts positions from the ids, after the padding id', async () => {
    const counted = positionsOfIds(ids([0, 7, 8, 2, 1, 1], [1, 0, 7, 1, 2, 1]), 1);
    expect(await values(counted)).toEqual([2, 3, 4, 5, 1, 1, 1, 2, 3, 1, 4, 1]);
  });

  it('does not let padding change the tokens, wherever it is', async () => {
    const model = new Roberta(small).initialize(1);
    const alone = await values(model.forward({ inputIds: ids([0, 7, 8, 2]) }).lastHiddenState);
    const padded = model.forward({
      inputIds: ids([1, 0, 7, 8, 2, 1]),
      attentionMask: ids([0, 1, 1, 1, 1, 0]),
    }).lastHiddenState;
    const shown = (await values(padded)).slice(16, 80);
    shown.forEach((value, index) => {
      expect(value).toBeCloseTo(alone[index]!, 5);
    });
    const unmasked = model.forward({ inputIds: ids([1, 0, 7, 8, 2, 1]) }).lastHiddenState;
    expect((await values(unmasked)).slice(16, 80)).not.toEqual(shown);
  });

  it('takes embeddings in place of ids, with positions that count every place', async () => {
    const model = new Roberta(small).initialize(1);
    const inputIds = ids([0, 7, 8, 2]);
    const expected = await values(model.forward({ inputIds }).lastHiddenState);
    const inputsEmbeds = model.embeddings.word_embeddings.forward(inputIds);
    expect(await values(model.forward({ inputsEmbeds }).lastHiddenState)).toEqual(expected);
    // A padding embedding in the middle is counted; as an id it would not be.
    const padded = ids([0, 1, 8, 2]);
    const byIds = await values(model.forward({ inputIds: padded }).lastHiddenState);
    const byEmbeddings = model.forward({ inputsEmbeds: model.embeddings.word_embeddings.forward(padded) });
    expect(await values(byEmbeddings.lastHiddenState)).not.toEqual(byIds);
    const placed = model.forward({
      inputsEmbeds: model.embeddings.word_embeddings.forward(padded),
      positionIds: positionsOfIds(padded, 1),
    });
    expect(await values(placed.lastHiddenState)).toEqual(byIds);
  });

  it('distinguishes token types', async () => {
    const model = new Roberta(small).initialize(1);
    const inputIds = ids([0, 7, 2]);
    const plain = await values(model.forward({ inputIds }).lastHiddenState);
    expect(await values(model.forward({ inputIds, tokenTypeIds: ids([0, 0, 0]) }).lastHiddenState)).toEqual(plain);
    expect(await values(model.forward({ inputIds, tokenTypeIds: ids([0, 1, 1]) }).lastHiddenState)).not.toEqual(plain);
  });

  it('can be run block by block', async () => {
    const model = new Roberta(small).initialize(1);
    const inputs = { inputIds: ids([0, 7, 8, 2, 1]), attentionMask: ids([1, 1, 1, 1, 0]) };
    const mask = extendedAttentionMask(inputs.attentionMask);
    expect(mask.shape).toEqual([1, 1, 1, 5]);
    let state = model.embeddings.forward(inputs);
    for (const layer of model.layers) state = layer.forward(state, mask);
    expect(await values(state)).toEqual(await values(model.forward(inputs).lastHiddenState));
  });

  it('gives every query a mask of its own, and rows without any key finite values', async () => {
    const model = new Roberta(small).initialize(1);
    const inputIds = ids([0, 7, 8]);
    const causal = tensor(Int32Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1), [1, 3, 3]);
    const [whole, first] = [
      await values(model.forward({ inputIds, attentionMask: causal }).lastHiddenState),
      await values(model.forward({ inputIds: ids([0]) }).lastHiddenState),
    ];
    first.forEach((value, index) => {
      expect(whole[index]).toBeCloseTo(value, 5);
    });
    const nothing = await values(model.forward({ inputIds, attentionMask: ids([0, 0, 0]) }).lastHiddenState);
    expect(nothing.every(Number.isFinite)).toBe(true);
    expect(() => extendedAttentionMask(zeros([3]))).toThrow(ShapeError);
  });

  it('drops with a key only, differently for every key, in every place', async () => {
    const model = new Roberta({ ...small, hiddenDropoutProb: 0.5, attentionProbsDropoutProb: 0 }).initialize(1);
    const inputIds = ids([0, 7, 8, 2]);
    const run = (seed?: number) =>
      model.forward({ inputIds }, { dropoutKey: seed === undefined ? undefined : streamKey(randomKey(seed)) });
    const plain = await values(run().lastHiddenState);
    expect(await values(run().lastHiddenState)).toEqual(plain);
    const dropped = await values(run(1).lastHiddenState);
    expect(dropped).not.toEqual(plain);
    expect(await values(run(1).lastHiddenState)).toEqual(dropped);
    expect(await values(run(2).lastHiddenState)).not.toEqual(dropped);
    const embedded = await values(run(1).hiddenStates[0]!);
    const zeroShare = embedded.filter((value) => value === 0).length / embedded.length;
    expect(zeroShare).toBeGreaterThan(0.3);
    expect(zeroShare).toBeLessThan(0.7);

    const attending = new Roberta({ ...small, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0.5 }).initialize(1);
    const key = { dropoutKey: streamKey(randomKey(1)) };
    const states = attending.forward({ inputIds }, key).hiddenStates;
    expect(await values(states[0]!)).toEqual(await values(attending.forward({ inputIds }).hiddenStates[0]!));
    expect(await values(states[1]!)).not.toEqual(await values(attending.forward({ inputIds }).hiddenStates[1]!));
  });

  it('refuses what is no batch of texts, or too long', () => {
    const model = new Roberta(small);
    const inputIds = zeros([1, 4], 'int32');
    expect(model.forward({ inputIds: zeros([1, 10], 'int32') }).lastHiddenState.shape).toEqual([1, 10, 16]);
    expect(() => model.forward({ inputIds: zeros([1, 11], 'int32') })).toThrow('at most 10 tokens');
    expect(() => model.forward({ inputIds: zeros([4], 'int32') })).toThrow(ShapeError);
    expect(() => model.forward({ inputsEmbeds: zeros([1, 4, 8]) })).toThrow(ShapeError);
    expect(() => model.forward({ inputIds, inputsEmbeds: zeros([1, 4, 16]) })).toThrow('either');
    expect(() => model.forward({})).toThrow(ShapeError);
  });
});

describe('RobertaForMaskedLm', () => {
  it('predicts with the word table, which gets the gradients of both uses', async () => {
    const model = new RobertaForMaskedLm(small).initialize(2);
    expect(model.roberta.pooler).toBeUndefined();
    expect(Object.keys(model.namedParameters()).filter((name) => name.startsWith('lm_head.'))).toEqual([
      'lm_head.dense.weight',
      'lm_head.dense.bias',
      'lm_head.layer_norm.weight',
      'lm_head.layer_norm.bias',
      'lm_head.bias',
    ]);
    const { value, grads, aux } = valueAndGrad(() => {
      const { logits } = model.forward({ inputIds: ids([0, 7, 8, 2]) });
      const weights = tensor(initializers.normal()(logits.shape, randomKey('cotangent')), logits.shape);
      return [sum(mul(logits, weights)), logits] as const;
    }, model.namedParameters());
    expect(aux.shape).toEqual([1, 4, 20]);
    expect(Number.isFinite(await value.item())).toBe(true);
    const table = (await grads['roberta.embeddings.word_embeddings.weight']!.data()) as Float32Array;
    const rows = Array.from({ length: 20 }, (_, row) => table.slice(row * 16, (row + 1) * 16));
    // Rows that no token looks up get the head's gradient; padding does too.
    for (const row of rows) expect(row.some((each) => each !== 0)).toBe(true);
    const bias = (await grads['lm_head.bias']!.data()) as Float32Array;
    expect(bias.every((each) => each !== 0)).toBe(true);
  });
});

describe('parseRobertaConfig', () => {
  it('has the defaults of the class, which are not those of the published models', () => {
    expect(parseRobertaConfig({})).toMatchObject({ layerNormEps: 1e-12, typeVocabSize: 2, maxPositionEmbeddings: 512 });
    expect(robertaConfigs['roberta-base']).toMatchObject({ layerNormEps: 1e-5, typeVocabSize: 1 });
    expect(parseRobertaConfig(JSON.parse(JSON.stringify(robertaConfigs['roberta-base'])))).toEqual(
      robertaConfigs['roberta-base'],
    );
  });

  it('names what is wrong', () => {
    expect(() => parseRobertaConfig({ hiddenSizes: 3 } as object)).toThrow('"hiddenSizes"');
    expect(() => parseRobertaConfig({ numAttentionHeads: 7 })).toThrow('numAttentionHeads');
    expect(() => parseRobertaConfig({ padTokenId: 60000 })).toThrow('padTokenId');
    expect(() => parseRobertaConfig({ maxPositionEmbeddings: 2 })).toThrow('maxPositionEmbeddings');
    expect(() => parseRobertaConfig({ hiddenDropoutProb: 1 })).toThrow(ConfigError);
  });
});
