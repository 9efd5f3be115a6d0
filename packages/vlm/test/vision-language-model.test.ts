import {
  ConfigError,
  closeEngine,
  compile,
  concat,
  crossEntropy,
  embedding,
  randomKey,
  reshape,
  ShapeError,
  sliceAxis,
  streamKey,
  type Tensor,
  valueAndGrad,
  zeros,
} from '@ocelli/core-tensor';
import type { ProjectorType } from '@ocelli/projectors';
import { afterAll, describe, expect, it, test } from 'vitest';
import { type VisionConfigInput, type VisionLanguageConfig, VisionLanguageModel } from '../src/index.js';
import {
  difference,
  integers,
  projectorConfigs,
  smallBatch,
  smallConfig,
  smallTower,
  visualTokens,
} from './support.js';

const types = Object.keys(projectorConfigs) as ProjectorType[];

function smallModel(type: ProjectorType = 'linear'): VisionLanguageModel {
  return new VisionLanguageModel(smallConfig(type)).initialize(3);
}

async function largest(values: Tensor): Promise<number> {
  return Math.max(...Array.from((await values.data()) as Float32Array, Math.abs));
}

afterAll(closeEngine);

describe('the configuration', () => {
  const build = (changes: object) => () =>
    new VisionLanguageModel({ ...smallConfig(), ...changes } as VisionLanguageConfig);

  test.each([
    ['visionWidth', /projector\.visionWidth of 16, the width of the features of the images, received 17/],
    ['languageWidth', /projector\.languageWidth of 12, the width of the language model, received 17/],
  ])('refuses a projector whose %s does not fit', (field, message) => {
    const wrong = build({ projector: { ...projectorConfigs.linear, [field]: 17 } });
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(message);
  });

  test.each(types)('gives a %s projector the sizes of what is around it', (type) => {
    const sizes = ['visionWidth', 'languageWidth', 'inputTokens'];
    const given = Object.entries(projectorConfigs[type]).filter(([field]) => !sizes.includes(field));
    const { config } = build({ projector: Object.fromEntries(given) })();
    expect(config.projector).toMatchObject(projectorConfigs[type]);
  });

  it('refuses features that are no map where the projector takes maps, or rows end', () => {
    const vision: VisionConfigInput = {
      type: 'mixture',
      encoders: [{ encoder: { type: 'clip', ...smallTower } }, { encoder: { type: 'clip', ...smallTower } }],
      fusion: { type: 'sequence-append', outputWidth: 16, grid: null },
      imageSize: 8,
    };
    const abstractor = build({ vision, projector: { type: 'c-abstractor', outputTokens: 4 } });
    expect(abstractor).toThrow(
      /features that are a square map, as a c-abstractor takes them, received features of 4 × 2/,
    );
    const newline = build({ vision, projector: { type: 'mlp' }, imageNewline: true });
    expect(newline).toThrow(/\(imageNewline\): expected visual tokens that are a square map/);
    for (const projector of [projectorConfigs.resampler, projectorConfigs.mlp]) {
      expect(build({ projector, imageNewline: true })).toThrow(/those of a (resampler|mlp) with [01] end tokens/);
    }
    expect(build({ vision, projector: { type: 'mlp' } })().visualTokensPerImage).toBe(8);
  });

  it('refuses an unknown projector, naming the known ones', () => {
    const wrong = build({ projector: { ...projectorConfigs.linear, type: 'q-former' } });
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/linear, mlp, resampler, c-abstractor, d-abstractor, received "q-former"/);
  });

  it('refuses a projector that is made for another number of features than the tower has', () => {
    const wrong = build({ projector: { ...projectorConfigs['c-abstractor'], inputTokens: 9 } });
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(/features \[batch, 9, 16\], received \[1, 4, 16\]/);
  });

  it('refuses a feature layer that the tower does not have', () => {
    expect(build({ featureLayer: 3 })).toThrow(/\(featureLayer\): expected a layer between -3 and 2, received 3/);
    expect(build({ featureLayer: -4 })).toThrow(ConfigError);
    expect(build({ featureLayer: 1.5 })).toThrow(/featureLayer/);
    expect(build({ featureLayer: 2 })).not.toThrow();
  });

  it('refuses unknown fields, of its own and of its parts, and missing parts', () => {
    expect(build({ tower: {} })).toThrow(/VisionLanguageModel: .*unknown key "tower"/);
    expect(build({ language: { vocabSize: 9, hiddensize: 12 } })).toThrow(/"hiddensize"/);
    expect(build({ vision: undefined })).toThrow(/vision: /);
    expect(build({ projector: 'linear' })).toThrow(/projector: /);
    expect(() => new VisionLanguageModel([] as never)).toThrow(ConfigError);
  });

  test.each(types)('with a %s projector is completed and builds the same model again', (type) => {
    const { config } = smallModel(type);
    expect(config).toMatchObject({ ...smallConfig(type), vision: { type: 'clip', ...smallConfig(type).vision } });
    expect(config.language).toMatchObject({ rmsNormEps: 1e-6 });
    const again = new VisionLanguageModel(JSON.parse(JSON.stringify(config)) as VisionLanguageConfig);
    expect(again.config).toEqual(config);
    expect(Object.keys(again.namedParameters())).toEqual(Object.keys(smallModel(type).namedParameters()));
  });
});

describe.each(types)('a model with a %s projector', (type) => {
  const model = smallModel(type);
  const tokens = visualTokens[type];
  const batch = smallBatch(tokens);

  it('says how many tokens an image becomes, and makes as many', () => {
    expect(model.visualTokensPerImage).toBe(tokens);
    expect(model.encodeImages(zeros([3, 3, 8, 8])).shape).toEqual([3, tokens, 12]);
  });

  it('embeds, gives logits and a loss', async () => {
    expect(model.embed(batch).shape).toEqual([2, 10, 12]);
    expect(model.forward(batch).shape).toEqual([2, 10, 24]);
    const loss = model.loss(batch);
    expect(loss.shape).toEqual([]);
    const value = await loss.item();
    expect(value).toBeGreaterThan(1);
    expect(value).toBeLessThan(10);
  });

  it('has gradients in all three parts', async () => {
    const { grads } = await compile(() => valueAndGrad(() => model.loss(batch), model.trainableParameters()))();
    for (const part of ['vision', 'projector', 'language']) {
      const names = Object.keys(grads).filter((name) => name.startsWith(`${part}.`));
      const sizes = await Promise.all(names.map((name) => largest(grads[name]!)));
      expect(Math.max(...sizes), part).toBeGreaterThan(1e-6);
    }
  });
});

describe('the loss', () => {
  it('is that of the parts put together by hand', async () => {
    const model = smallModel();
    const batch = smallBatch(4);
    const { vision, projector, language } = model;
    const table = language.model.embed_tokens.weight;
    const visual = projector.forward(vision.features(batch.pixelValues, { layer: -2 })); // [1, 4, 12]
    const text = embedding(batch.inputIds, table); // [2, 10, 12]
    const first = sliceAxis(text, 0, 0, 1);
    const spliced = concat([sliceAxis(first, 1, 0, 1), visual, sliceAxis(first, 1, 5)], 1); // [1, 10, 12]
    const inputsEmbeds = concat([spliced, sliceAxis(text, 0, 1)], 0);
    const { logits } = language.forward({ inputsEmbeds });
    const predicted = reshape(sliceAxis(logits, 1, 0, 9), [18, 24]);
    const targets = reshape(sliceAxis(batch.labels, 1, 1), [18]);

    expect(await difference(model.embed(batch), inputsEmbeds)).toBe(0);
    expect(await difference(model.forward(batch), logits)).toBe(0);
    expect(await difference(model.loss(batch), crossEntropy(predicted, targets))).toBeLessThan(1e-6);
  });

  it('depends on the image, but not on what padding holds', async () => {
    const model = smallModel();
    const batch = smallBatch(4);
    const loss = await model.loss(batch).item();
    const blank = await model.loss({ ...batch, pixelValues: zeros([1, 3, 8, 8]) }).item();
    expect(Math.abs(blank - loss)).toBeGreaterThan(1e-3);

    const ids = Int32Array.from((await batch.inputIds.data()) as Int32Array);
    ids.fill(9, 17);
    ids.fill(9, 1, 5);
    expect(await model.loss({ ...batch, inputIds: integers(ids, [2, 10]) }).item()).toBeCloseTo(loss, 6);
  });

  it('of a batch without images is that of the language model', async () => {
    const model = smallModel();
    const { inputIds, labels, ...rest } = smallBatch(0);
    const batch = { ...rest, inputIds, labels, pixelValues: zeros([0, 3, 0, 0]) };
    expect(model.embed(batch).shape).toEqual([2, 10, 12]);
    const alone = model.language.forward({ inputIds, labels }).loss!;
    expect(await model.loss(batch).item()).toBeCloseTo(await alone.item(), 6);
    const compiled = await compile((inputs: typeof batch) => model.loss(inputs))(batch);
    expect(await compiled.item()).toBeCloseTo(await alone.item(), 6);
  });

  it('of a batch with a blank image that stands nowhere is that of the text', async () => {
    const model = smallModel();
    const batch = smallBatch(0);
    const alone = model.language.forward({ inputIds: batch.inputIds, labels: batch.labels }).loss!;
    expect(await model.loss(batch).item()).toBeCloseTo(await alone.item(), 6);
  });
});

describe('training', () => {
  const gradientsOf = async (model: VisionLanguageModel) => {
    const batch = smallBatch(4);
    return (await compile(() => valueAndGrad(() => model.loss(batch), model.trainableParameters()))()).grads;
  };

  it('gives frozen parts no gradients, and the others the same ones', async () => {
    const model = smallModel();
    const all = await gradientsOf(model);
    const values = new Map<string, Float32Array>();
    for (const [name, gradient] of Object.entries(all)) values.set(name, (await gradient.data()) as Float32Array);
    model.freeze('vision', 'language');
    const some = await gradientsOf(model);
    expect(Object.keys(some)).toEqual(Object.keys(all).filter((name) => name.startsWith('projector.')));
    for (const [name, gradient] of Object.entries(some)) {
      const data = (await gradient.data()) as Float32Array;
      data.forEach((value, index) => {
        expect(value).toBeCloseTo(values.get(name)![index]!, 6);
      });
    }
  });

  it('leaves what lies behind the feature layer alone', async () => {
    const last = 'vision.vision_model.encoder.layers.1.mlp.fc1.weight';
    expect(await largest((await gradientsOf(smallModel()))[last]!)).toBe(0);
    const model = new VisionLanguageModel({ ...smallConfig(), featureLayer: -1 }).initialize(3);
    expect(await largest((await gradientsOf(model))[last]!)).toBeGreaterThan(1e-6);
  });

  it('drops attention of the resampler only with a key', async () => {
    const model = new VisionLanguageModel({
      ...smallConfig('resampler'),
      projector: { ...projectorConfigs.resampler, attentionDropout: 0.5, initializerRange: 0.5 },
    }).initialize(3);
    const batch = smallBatch(3);
    const embedded = (seed?: number) =>
      model.embed(batch, seed === undefined ? {} : { dropoutKey: streamKey(randomKey(seed)) });
    expect(await difference(embedded(), embedded())).toBe(0);
    expect(await difference(embedded(1), embedded(1))).toBe(0);
    expect(await difference(embedded(), embedded(1))).toBeGreaterThan(1e-4);
    expect(await difference(embedded(2), embedded(1))).toBeGreaterThan(1e-4);
  });
});
