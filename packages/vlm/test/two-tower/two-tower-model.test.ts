import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closeEngine,
  linear,
  materialize,
  randomKey,
  reshape,
  saveWeights,
  sliceAxis,
  streamKey,
  type Tensor,
  tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { type ManagerFusion, managerTypes } from '@ocelli/manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adaptTwoTower,
  answerLogits,
  entailmentLogits,
  imageTextMatchingLoss,
  loadModel,
  loadTwoTower,
  maskedLanguageModelLoss,
  matchingScores,
  rankingLoss,
  rankingScores,
  reasoningLogits,
  retrievalLosses,
  saveModel,
  type TwoTowerConfig,
  type TwoTowerInputs,
  TwoTowerModel,
  twoTowerConfigs,
  twoTowerKeyMap,
  twoTowerTasks,
  visualQuestionAnsweringLoss,
} from '../../src/index.js';
import { difference, integers, normal } from '../support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'two-tower-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await closeEngine();
});

const text = {
  vocabSize: 20,
  hiddenSize: 8,
  intermediateSize: 12,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 12,
  typeVocabSize: 1,
};
const vision = {
  hiddenSize: 12,
  intermediateSize: 16,
  numHiddenLayers: 4,
  numAttentionHeads: 2,
  imageSize: 8,
  patchSize: 4,
};
const sizes = { hiddenSize: 8, numHeads: 2, numLayers: 2, tokenTypes: 3 };
const heads = {
  maskedLanguageModel: {},
  imageTextMatching: {},
  imageTextContrast: { outputs: 4 },
  visualQuestionAnswering: { classes: 5 },
  visualEntailment: {},
  visualReasoning: {},
  ranking: {},
} satisfies TwoTowerConfig['heads'];
const managed = { ...sizes, managedTextLayers: 2, managedImageLayers: 3 };
const small: TwoTowerConfig = { text, vision, fusion: managed, heads };

const inputs: TwoTowerInputs = {
  inputIds: integers([0, 5, 6, 2, 0, 7, 2, 1, 0, 9, 8, 2], [3, 4]),
  pixelValues: normal(3, 3, 8, 8),
};

async function finite(value: Tensor): Promise<number> {
  const number = await value.item();
  expect(Number.isFinite(number)).toBe(true);
  return number;
}

describe('TwoTowerModel', () => {
  it('has as many parameters as the published models', () => {
    // In millions: 326.58 with bridges, 326.77 with static managers, 338.64 with adaptive ones (paper, table VI; for
    // images of 384 pixels). The official module also holds two unused parts of CLIP's text side.
    const unused = 77 * 512 + 2 * 512;
    const count = (fusion: TwoTowerConfig['fusion'] & object) => {
      const imageOf384 = { patchSize: 16, imageSize: 384 };
      return (new TwoTowerModel({ vision: imageOf384, fusion }).parameterCount() + unused) / 1e6;
    };
    expect(count({ type: 'bridge' }).toFixed(2)).toBe('326.58');
    expect(count({ manager: { type: 'static-unimodal' } }).toFixed(2)).toBe('326.77');
    expect(count({}).toFixed(2)).toBe('338.64');
  });

  it.each(Object.entries(twoTowerConfigs))('builds %s', (_, config) => {
    const names = Object.keys(new TwoTowerModel(config).namedParameters());
    expect(names).toContain('mlm_score.decoder.weight');
    expect(names).toContain('itm_score.fc.weight');
  });

  it.each([
    ...managerTypes.map((type) => ({ ...managed, manager: { type } })),
    { type: 'bridge' as const, ...sizes },
    { type: 'meter' as const, ...sizes },
  ])('trains every objective through every part ($type, $manager.type)', async (fusion) => {
    const model = new TwoTowerModel({ ...small, fusion }).initialize(0);
    const pixels = [inputs.pixelValues, inputs.pixelValues] as const;
    const loss = () => {
      const { total } = retrievalLosses(model, inputs, { imageIndex: integers([0, 0, 1], [3]) });
      return total;
    };
    const { value, grads } = valueAndGrad(loss, model.trainableParameters());
    await materialize([value, ...Object.values(grads)]);
    await finite(value);
    for (const part of ['text.', 'vision.', 'fusion.', 'itm_score.', 'temperature', 'cross_modal_itc_image_head.']) {
      const ofPart = Object.entries(grads).filter(([name]) => name.startsWith(part));
      const largest = await Promise.all(
        ofPart.map(async ([, gradient]) =>
          ((await gradient.data()) as Float32Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0),
        ),
      );
      expect(Math.max(...largest), part).toBeGreaterThan(0);
    }
    await finite(
      maskedLanguageModelLoss(model, inputs, integers([-100, 5, -100, -100, -100, 7, ...Array(6).fill(-100)], [3, 4])),
    );
    await finite(imageTextMatchingLoss(model, inputs, integers([1, 0, 1], [3])));
    await finite(visualQuestionAnsweringLoss(model, inputs, tensor(new Float32Array(15).fill(0.3), [3, 5])));
    expect(answerLogits(model, inputs).shape).toEqual([3, 5]);
    expect(entailmentLogits(model, inputs).shape).toEqual([3, 3]);
    expect(reasoningLogits(model, inputs, pixels).shape).toEqual([3, 2]);
    expect(matchingScores(model, inputs).shape).toEqual([3]);
    expect(rankingScores(model, inputs).shape).toEqual([3]);
  });

  it('explores under a training key only', async () => {
    const model = new TwoTowerModel(small).initialize(0);
    const run = (key?: number) =>
      model.forward(inputs, key === undefined ? {} : { trainingKey: streamKey(randomKey(key)) }).pooled;
    expect(await difference(run(), run())).toBe(0);
    expect(await difference(run(1), run(1))).toBe(0);
    expect(await difference(run(1), run(2))).toBeGreaterThan(1e-3);
  });

  it('ranks candidates like pairs of their own', async () => {
    const model = new TwoTowerModel(small).initialize(6);
    const rows = [0, 5, 6, 2, 0, 7, 2, 1, 0, 9, 8, 2];
    const pixelValues = normal(2, 3, 8, 8);
    const inputIds = integers([...rows, ...rows.toReversed()], [2, 3, 4]);
    const scores = await Promise.all(
      [0, 1].map((image) =>
        rankingScores(model, {
          inputIds: reshape(sliceAxis(inputIds, 0, image, image + 1), [3, 4]),
          pixelValues: sliceAxis(pixelValues, 0, image, image + 1),
        }).data(),
      ),
    );
    const losses = scores.map((row) => {
      const values = Array.from(row, Number);
      return Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0)) - values[0]!;
    });
    const loss = await rankingLoss(model, { inputIds, pixelValues }).item();
    expect(loss).toBeCloseTo((losses[0]! + losses[1]!) / 2, 5);
    expect(() => rankingLoss(model, { inputIds: reshape(inputIds, [6, 4]), pixelValues })).toThrow(/candidates/);
  });

  it('fuses the last layers alone as METER, or with gates of all others', async () => {
    const meter = { ...small, fusion: { type: 'meter' as const, ...sizes } };
    const plain = new TwoTowerModel(meter).initialize(0);
    expect(plain.text_gate).toBeUndefined();
    const { text: texts, image: images } = plain.fusionInputs(inputs);
    expect([texts.length, images.length]).toEqual([1, 1]);
    const { last } = plain.encodeImage(inputs.pixelValues);
    expect(await difference(images[0]!, plain.cross_modal_image_transform.forward(last))).toBe(0);
    const gated = new TwoTowerModel({ ...meter, fusion: { ...meter.fusion, layerGates: true } }).initialize(0);
    expect(gated.text_gate!.weight.shape).toEqual([8, 8]);
    expect(gated.image_gate!.weight.shape).toEqual([12, 12]);
    const states = gated.vision.forward(inputs.pixelValues).hiddenStates.slice(1);
    const normed = states.map((state) => gated.vision.vision_model.post_layernorm.forward(state));
    const expected = gated.cross_modal_image_transform.forward(gated.image_gate!.sum(normed));
    expect(await difference(gated.encodeImage(inputs.pixelValues).levels[0]!, expected)).toBeLessThan(1e-6);
  });

  it('normalises each layer of the vision encoder by one norm, or by its own', async () => {
    const model = new TwoTowerModel({ ...small, visionNorms: 'separate' }).initialize(0);
    expect(model.ln_separate).toHaveLength(vision.numHiddenLayers);
    const before = model.encodeImage(inputs.pixelValues).levels;
    await materialize(before);
    model.ln_separate![2]!.weight.set(new Float32Array(vision.hiddenSize).fill(2));
    const after = model.encodeImage(inputs.pixelValues).levels;
    // Layers 2, 3, 4 are managed; the third layer's norm has changed.
    expect(await difference(before[0]!, after[0]!)).toBeLessThan(1e-6);
    expect(await difference(before[1]!, after[1]!)).toBeGreaterThan(1e-2);
    expect(await difference(before[2]!, after[2]!)).toBeLessThan(1e-6);
  });

  it('tells what adaptive managers weigh for given pairs', async () => {
    const model = new TwoTowerModel(small).initialize(0);
    const weights = await (model.fusion as ManagerFusion).levelWeights(model.fusionInputs(inputs));
    expect(weights.text.levels).toEqual(['2', '3', 'C']);
    expect(weights.image.levels).toEqual(['2', '3', '4', 'C']);
    expect(weights.image.weights[1]!.slice(0, 3).reduce<number>((sum, weight) => sum + weight!, 0)).toBeCloseTo(1, 5);
  });

  it('classifies with one linear layer where two are too many', async () => {
    const classifiers = {
      visualQuestionAnswering: { classes: 5, layers: 1 },
      visualEntailment: { layers: 1 },
      visualReasoning: { layers: 1 },
    } as const;
    const model = new TwoTowerModel({ ...small, heads: classifiers }).initialize(3);
    const names = Object.keys(model.namedParameters()).filter((name) => name.includes('_classifier'));
    expect(names.filter((name) => !name.includes('.0.'))).toEqual([]);
    expect(names).toHaveLength(6);
    const { floatWeight, bias } = model.vqa_classifier![0];
    const { pooled } = model.forward(inputs);
    expect(await difference(answerLogits(model, inputs), linear(pooled, floatWeight, bias))).toBe(0);
    expect(() => new TwoTowerModel({ heads: { visualEntailment: { layers: 3 as 2 } } })).toThrow(/layers/);
  });

  it('refuses more layers than the towers have, heads it cannot feed, and unknown fields', () => {
    expect(() => new TwoTowerModel({ ...small, fusion: { ...managed, managedTextLayers: 4 } })).toThrow(
      /managedTextLayers/,
    );
    expect(() => new TwoTowerModel({ ...small, fusion: { type: 'bridge', ...sizes, numLayers: 4 } })).toThrow(
      /at most 3/,
    );
    expect(() => new TwoTowerModel({ ...small, fusion: { ...managed, tokenTypes: 2 } })).toThrow(/tokenTypes/);
    expect(() => new TwoTowerModel({ ...small, head: {} } as TwoTowerConfig)).toThrow(/unknown key "head"/);
    const plain = new TwoTowerModel({ text, vision, fusion: managed });
    expect(() => answerLogits(plain, inputs)).toThrow(/visualQuestionAnswering/);
  });
});

describe('files', () => {
  it('keep a model, under the published names', async () => {
    const model = new TwoTowerModel({ ...small, visionNorms: 'separate' }).initialize(3);
    const path = join(folder, 'saved');
    await saveModel(path, model, { names: 'published' });
    const again = await loadModel(path, { kind: 'two-tower' });
    expect(again.config).toEqual(model.config);
    expect(await difference(again.forward(inputs).pooled, model.forward(inputs).pooled)).toBe(0);
  });

  it('give a fine-tuned model its backbone, and ignore what belongs to other tasks', async () => {
    const pretrained = new TwoTowerModel(small).initialize(4);
    const path = join(folder, 'pretrained');
    await saveWeights(path, pretrained, { keyMap: twoTowerKeyMap(pretrained) });
    const tuned = await loadTwoTower(path, {
      text,
      vision,
      fusion: managed,
      heads: { visualEntailment: { hiddenScale: 2 } },
    });
    expect(await difference(tuned.forward(inputs).pooled, pretrained.forward(inputs).pooled)).toBe(0);
    await expect(
      loadTwoTower(path, { text, vision, fusion: { ...managed, manager: { type: 'static-unimodal' } } }),
    ).rejects.toThrow(/layer_scores/);
    await expect(loadTwoTower(join(folder, 'nothing'), small)).rejects.toThrow(/nothing/);
  });
});

describe('adaptTwoTower', () => {
  it('keeps weights, resizes positions, and repeats the token type of images', async () => {
    const model = new TwoTowerModel({ text, vision, fusion: { ...managed, tokenTypes: 2 } }).initialize(5);
    const tuned = await adaptTwoTower(model, { imageSize: 16, heads: { visualReasoning: {} } });
    expect(tuned.forward({ ...inputs, pixelValues: normal(3, 3, 16, 16) }).image.shape).toEqual([3, 17, 8]);
    const types = (await tuned.fusion.token_type_embeddings.weight.data()) as Float32Array;
    expect(types.slice(16, 24)).toEqual(types.slice(8, 16));
    for (const task of Object.values(twoTowerTasks)) {
      const { heads } = (await adaptTwoTower(model, { heads: task.heads })).config;
      expect(Object.keys(heads)).toEqual(Object.keys(task.heads));
    }
    const separate = await adaptTwoTower(model, { visionNorms: 'separate' });
    expect(await difference(separate.forward(inputs).pooled, model.forward(inputs).pooled)).toBe(0);
    const same = await adaptTwoTower(model, { heads: { imageTextMatching: {} } });
    expect(await difference(same.forward(inputs).pooled, model.forward(inputs).pooled)).toBe(0);
  });

  it('starts ranking as class 1 of matching, which trains no more', async () => {
    const model = new TwoTowerModel({ ...small, heads: { imageTextMatching: {} } }).initialize(5);
    const ranks = await adaptTwoTower(model, { heads: { imageTextMatching: {}, ranking: {} } });
    expect(await difference(rankingScores(ranks, inputs), matchingScores(model, inputs))).toBeLessThan(1e-6);
    const trained = Object.keys(ranks.trainableParameters());
    expect(trained).toContain('rank_output.weight');
    expect(trained.filter((name) => name.startsWith('itm_score'))).toEqual([]);
  });
});
