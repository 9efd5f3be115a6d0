import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  argMax,
  cast,
  closeEngine,
  expandDims,
  loadWeights,
  materialize,
  mul,
  randomKey,
  saveWeights,
  streamKey,
  type Tensor,
  valueAndGrad,
} from '@ocelli/core-tensor';
import { collate, gridLayout, imageGrid } from '@ocelli/data';
import { generate } from '@ocelli/language';
import type { ResidualManagersConfigInput } from '@ocelli/manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createManagedAnswerer,
  type ManagedBatchOptions,
  ManagedDecoder,
  type ManagedVisionLanguageConfig,
  ManagedVisionLanguageModel,
  managedModelConfigs,
  managedModelKeyMap,
  planManagedBatch,
  toManagedTensors,
} from '../../src/index.js';
import { difference, integers, normal } from '../support.js';

afterAll(closeEngine);

const small = (managers: ResidualManagersConfigInput = {}): ManagedVisionLanguageConfig => ({
  vision: {
    hiddenSize: 8,
    intermediateSize: 12,
    numHiddenLayers: 4,
    numAttentionHeads: 2,
    imageSize: 8,
    patchSize: 4,
    visionUseHead: false,
  },
  language: {
    vocabSize: 24,
    hiddenSize: 12,
    intermediateSize: 20,
    numHiddenLayers: 3,
    numAttentionHeads: 2,
    initializerRange: 0.3,
  },
  managers: { select: { start: 1, end: 4 }, inject: { interval: 2, end: 3 }, ...managers },
});

const grid = imageGrid({ tile: 8, candidates: [{ width: 16, height: 8 }] });
/** A picture of two tiles behind the whole, 4 + 2 · 5 visual tokens; then a row of text alone with a blank image. */
const images = [gridLayout({ width: 16, height: 8 }, grid, 2), { tokens: 4 }];
const pixels = normal(4, 3, 8, 8);
const rows = [
  { sampleId: 'picture', inputIds: [3, 10, 4, 3, 11, 4, -200, 4, 15, 16, 5, 4, 3, 12, 4, 17, 5] },
  { sampleId: 'text', inputIds: [3, 10, 4, 3, 11, 4, 18, 5, 4, 3, 12, 4, 19, 5] },
].map((row) => ({ ...row, labels: row.inputIds.map((id, place) => (place > 11 ? id : -100)) }));

function batchOf(options: Partial<ManagedBatchOptions> = {}) {
  return planManagedBatch(rows, { images, featuresPerSide: 2, openingToken: 3, ...options });
}

/** A model whose managers do something. */
function trained(managers?: ResidualManagersConfigInput): ManagedVisionLanguageModel {
  const model = new ManagedVisionLanguageModel(small(managers)).initialize(1);
  for (const [name, parameter] of Object.entries(model.namedParameters())) {
    if (!/layer_scores|zero_gate/.test(name)) continue;
    parameter.set(Float32Array.from({ length: parameter.size }, (_, index) => Math.sin(index + name.length)));
  }
  return model;
}

describe('ManagedVisionLanguageModel', () => {
  it('has as many parameters as the published model', () => {
    const count = (name: keyof typeof managedModelConfigs) =>
      new ManagedVisionLanguageModel(managedModelConfigs[name]).parameterCount();
    expect(count('llava-ov-manager-grid')).toBe(893_618_208 + 80_640);
    expect(count('llava-ov-manager')).toBe(893_618_208 + 80_640 - 896);
  });

  it.each(['static', 'adaptive', 'adaptive-last', 'adaptive-average', 'adaptive-cross'] as const)(
    'trains tower, projector, newline, embeddings of levels and decoder through %s managers',
    async (type) => {
      const model = trained({ type });
      const key = { trainingKey: streamKey(randomKey(2)) };
      const { value, grads } = valueAndGrad(
        () => model.forward(pixels, batchOf(), key).loss!,
        model.trainableParameters(),
      );
      await materialize([value, ...Object.values(grads)]);
      expect(Number.isFinite(await value.item())).toBe(true);
      for (const part of [
        'vision.',
        'decoder.projector',
        'decoder.image_newline',
        'decoder.managers',
        'decoder.language',
      ]) {
        const ofPart = Object.entries(grads).filter(([name]) => name.startsWith(part));
        const largest = await Promise.all(
          ofPart.map(async ([, gradient]) =>
            ((await gradient.data()) as Float32Array).reduce((most, x) => Math.max(most, Math.abs(x)), 0),
          ),
        );
        expect(Math.max(...largest), part).toBeGreaterThan(0);
      }
    },
  );

  it('drops what its projector says only with a key', async () => {
    const projector = {
      type: 'd-abstractor',
      outputTokens: 4,
      hiddenSize: 8,
      intermediateSize: 8,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      dropout: 0.5,
    } as const;
    const model = new ManagedVisionLanguageModel({ ...small(), projector }).initialize(1);
    const logitsOf = (seed?: number) =>
      model.forward(pixels, batchOf(), seed === undefined ? {} : { trainingKey: streamKey(randomKey(seed)) }).logits;
    expect(await difference(logitsOf(), logitsOf())).toBe(0);
    expect(await difference(logitsOf(1), logitsOf(1))).toBe(0);
    expect(await difference(logitsOf(1), logitsOf(2))).toBeGreaterThan(1e-4);
  });

  it('equals the model without managers at first', async () => {
    const fresh = new ManagedVisionLanguageModel(small()).initialize(1);
    const { inputsEmbeds, attentionMask } = fresh.input(pixels, batchOf());
    const plain = fresh.decoder.language.forward({ inputsEmbeds, attentionMask }).logits;
    expect(await difference(fresh.forward(pixels, batchOf()).logits, plain)).toBe(0);
    expect(await difference(trained().forward(pixels, batchOf()).logits, plain)).toBeGreaterThan(1e-2);
  });

  it('manages all visual tokens, those of the whole image, or those of the grid', async () => {
    const managedOf = async (gridType: 'all' | 'main' | 'grid') => {
      const { managedPlan } = batchOf({ gridType });
      // 14 tokens of the picture and 4 of the blank image; 18 stands for nothing.
      return Array.from((await managedPlan.data()) as Int32Array).filter((row) => row < 18);
    };
    expect(await managedOf('all')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(await managedOf('main')).toEqual([0, 1, 2, 3]);
    expect(await managedOf('grid')).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  it('finds the question beside the image, and falls back to the visual tokens', async () => {
    const maskOf = async (options: Partial<ManagedBatchOptions>, given = rows) => {
      const { questionMask } = planManagedBatch(given, { images, featuresPerSide: 2, openingToken: 3, ...options });
      const [, length] = questionMask.shape as [number, number];
      const values = Array.from((await questionMask.data()) as Int32Array).slice(0, length);
      return values.flatMap((value, place) => (value === 1 ? [place] : []));
    };
    expect(await maskOf({})).toEqual([21, 22]);
    expect(await maskOf({ padding: 'left' })).toEqual([21, 22]);
    const silent = [
      { sampleId: 'silent', inputIds: [3, 10, 4, 3, 11, 4, -200, 4, 5, 4, 3, 12, 4, 17, 5], labels: [] },
    ].map(({ labels: _, ...row }) => row);
    const only = planManagedBatch(silent, { images: images.slice(0, 1), featuresPerSide: 2, openingToken: 3 });
    const places = Array.from((await only.questionMask.data()) as Int32Array).flatMap((value, place) =>
      value ? [place] : [],
    );
    expect(places).toEqual(Array.from({ length: 14 }, (_, index) => 6 + index));
  });

  it('takes the caption of a row without turns for its question, as published, or nothing', async () => {
    const plain = [{ sampleId: 'plain', inputIds: [-200, 17, 18, 19, 4] }];
    const placesOf = async (captions?: 'caption' | 'none') => {
      const options = {
        images: images.slice(0, 1),
        featuresPerSide: 2,
        openingToken: 3,
        ...(captions && { captions }),
      };
      const values = Array.from((await planManagedBatch(plain, options).questionMask.data()) as Int32Array);
      return values.flatMap((value, place) => (value ? [place] : []));
    };
    expect(await placesOf()).toEqual([14, 15, 16]);
    expect(await placesOf('none')).toEqual(Array.from({ length: 14 }, (_, place) => place));
  });

  describe('given batches of a loader', () => {
    const collated = (padding: 'left' | 'right') => {
      const samples = rows.map(({ sampleId, inputIds, labels }) => {
        const start = inputIds.indexOf(-200);
        const expand = (values: readonly number[], filler: number) =>
          start < 0 ? values : [...values.slice(0, start), ...Array(14).fill(filler), ...values.slice(start + 1)];
        return {
          sampleId,
          inputIds: Int32Array.from(expand(inputIds, -1)),
          labels: Int32Array.from(expand(labels, -100)),
          images: start < 0 ? [] : [{ image: 0, start, tokens: 14 }],
          pixels:
            start < 0 ? [] : [{ data: picture, width: 8, height: 8, tiles: 3, imageSize: { width: 16, height: 8 } }],
        };
      });
      const options = { visualTokensPerImage: 4, grid, padTokenId: 0, buckets: [30], padding } as const;
      return collate(samples as never, options);
    };
    let picture: Float32Array;
    beforeAll(async () => {
      picture = ((await pixels.data()) as Float32Array).slice(0, 3 * 192);
    });

    it.each(['left', 'right'] as const)('plans them as rows with markers, padded on the %s', async (padding) => {
      const model = trained({ type: 'adaptive-cross' });
      const given = toManagedTensors(collated(padding), model, { openingToken: 3 });
      const planned = batchOf({ padding });
      expect(await given.questionMask.data()).toEqual(await planned.questionMask.data());
      expect(given.pixelValues.shape).toEqual([3, 3, 8, 8]);
      const same = await difference(
        mul(model.forward(given.pixelValues, given).logits, cast(expandDims(given.attentionMask, -1), 'float32')),
        mul(model.forward(pixels, planned).logits, cast(expandDims(planned.attentionMask, -1), 'float32')),
      );
      expect(same).toBeLessThan(1e-5);
      expect(await difference(model.loss(given), model.forward(pixels, planned).loss!)).toBeLessThan(1e-5);
    });

    it('manages what the managers say, and lets texts alone use the tower', async () => {
      const main = trained({ gridType: 'main' });
      const { managedPlan, gridTokens } = toManagedTensors(collated('right'), main);
      const tokens = gridTokens.rows.shape[0]!;
      const managed = Array.from((await managedPlan.data()) as Int32Array).filter((row) => row < tokens);
      expect(managed).toEqual([0, 1, 2, 3]);
      const [, text] = rows;
      const silent = { ...text!, inputIds: Int32Array.from(text!.inputIds), labels: Int32Array.from(text!.labels) };
      const options = { visualTokensPerImage: 4, padTokenId: 0, buckets: [16] };
      const batch = toManagedTensors(collate([{ ...silent, images: [], pixels: [] }], options), main);
      expect(batch.pixelValues.shape).toEqual([1, 3, 8, 8]);
      expect(Number.isFinite(await main.loss(batch).item())).toBe(true);
    });

    it.each(['static', 'adaptive-average'] as const)(
      'answers them with %s managers, batch after batch',
      async (type) => {
        const model = trained({ type });
        const answer = createManagedAnswerer(model);
        const first = toManagedTensors(collated('left'), model, { openingToken: 3 });
        const other = { ...first, pixelValues: mul(first.pixelValues, -3) };
        for (const batch of [first, other]) {
          const prompt = model.input(batch.pixelValues, batch);
          const expected = await generate(model.decoder.language, { ...prompt, maxNewTokens: 3 });
          expect(await answer(batch, { maxNewTokens: 3 })).toEqual(expected);
        }
      },
    );
  });

  it('answers a prompt that managers add to, and adds nothing in later steps', async () => {
    const model = trained({ type: 'adaptive-cross' });
    const { language } = model.decoder;
    const prompt = model.input(pixels, batchOf({ padding: 'left' }));
    const answers = await generate(language, { ...prompt, maxNewTokens: 3 });
    const [batch, length] = prompt.inputsEmbeds.shape as [number, number];
    const first = integers(
      answers.map(({ tokens }) => tokens[0]!),
      [batch],
    );
    const read = language.prefill({ ...prompt, capacity: length + 1 });
    const likeliest = async (logits: Tensor) => Array.from(await argMax(logits, -1).data(), Number);
    expect(await likeliest(read.logits)).toEqual(answers.map(({ tokens }) => tokens[0]));
    const next = language.decodeStep({ inputIds: first, cache: read.cache });
    expect(await likeliest(next.logits)).toEqual(answers.map(({ tokens }) => tokens[1]));
    const unmanaged = language.prefill({ ...prompt, hooks: undefined, capacity: length + 1 });
    expect(await difference(unmanaged.logits, read.logits)).toBeGreaterThan(1e-3);
  });

  it('is written under the official names and read again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'managed-'));
    try {
      const model = trained();
      await saveWeights(folder, model, { keyMap: managedModelKeyMap(model) });
      const again = new ManagedVisionLanguageModel(model.config);
      const report = await loadWeights(again, folder, { keyMap: managedModelKeyMap(again) });
      expect(report.kept).toEqual([]);
      expect(await difference(again.forward(pixels, batchOf()).logits, model.forward(pixels, batchOf()).logits)).toBe(
        0,
      );
      const names = managedModelKeyMap(model).rules.map(({ key }) => key);
      for (const name of ['model.manager.1.layer_scores', 'model.manager_layer_embedding', 'model.image_newline']) {
        expect(names).toContain(name);
      }
      expect(names).toContain('model.mm_projector.2.bias');
      expect(names).toContain('model.vision_tower.vision_tower.vision_model.embeddings.patch_embedding.weight');
      expect(names).toContain('model.embed_tokens.weight');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses towers without the managed layers', () => {
    const config = small({ select: { start: 13, end: 26 } });
    expect(() => new ManagedVisionLanguageModel(config)).toThrow(
      /levels of the encoder, which are 0 to 4, received 13/,
    );
    const { vision: _, ...rest } = config;
    const decoder = new ManagedDecoder({ ...rest, visionWidth: 8 });
    expect(() => decoder.forward([normal(4, 4, 8)], batchOf())).toThrow(/hidden states 13/);
    expect(() => new ManagedVisionLanguageModel({ ...small(), manager: {} } as ManagedVisionLanguageConfig)).toThrow(
      /unknown key "manager"/,
    );
  });
});
