import { ConfigError } from '@ocelli/core-tensor';
import { PUBLISHED_GRIDS, preprocessImage, solidImage } from '@ocelli/data';
import { moaiTrainingPhases, startMoaiPhase } from '@ocelli/moai-mixer';
import { describe, expect, it } from 'vitest';
import {
  applyStage,
  eagleTrainingStages,
  honeybeeTrainingStages,
  llavaOvManagerTrainingStages,
  ManagedVisionLanguageModel,
  MoaiModel,
  managedModelConfigs,
  moaiTrainingStages,
  stageImages,
  type TrainingStage,
  trainerStage,
  VisionLanguageModel,
} from '../../src/index.js';
import { smallConfig } from '../support.js';

const [joint] = eagleTrainingStages();

function namesBy(groups: ReturnType<typeof applyStage>) {
  return groups.map(({ learningRate, parameters }) => [learningRate, Object.keys(parameters)] as const);
}

describe('applyStage', () => {
  it('returns the trained parameters by their learning rates', () => {
    const model = new VisionLanguageModel(smallConfig('mlp'));
    const stage: TrainingStage = {
      ...joint,
      trainable: ['projector', 'language'],
      frozen: ['*bias', 'language.model.layers'],
      learningRate: 1e-5,
      groups: [
        { parameters: ['projector'], learningRate: 1e-3 },
        { parameters: ['*embed_tokens*', 'projector'], learningRate: 2e-5 },
      ],
    };
    const groups = namesBy(applyStage(model, stage));
    expect(groups.map(([rate]) => rate)).toEqual([1e-5, 1e-3, 2e-5]);
    expect(groups[1]![1].every((name) => name.startsWith('projector.') && !name.endsWith('bias'))).toBe(true);
    expect(groups[2]![1]).toEqual(['language.model.embed_tokens.weight']);
    expect(groups.flatMap(([, names]) => names).sort()).toEqual(Object.keys(model.trainableParameters()).sort());
  });

  it.each([
    ['that matches nothing', { trainable: ['projektor'] }, /projektor/],
    ['of what stays frozen that matches nothing', { frozen: ['managers'] }, /managers/],
    ['that leaves nothing to train', { frozen: ['projector'] }, /joint-projector.*frozen projector/],
    ['of a group that matches nothing', { groups: [{ parameters: ['head'], learningRate: 1 }] }, /one for head/],
  ])('refuses a pattern %s', (_, change, message) => {
    const model = new VisionLanguageModel(smallConfig());
    expect(() => applyStage(model, { ...joint, ...change })).toThrow(ConfigError);
    expect(() => applyStage(model, { ...joint, ...change })).toThrow(message);
  });
});

describe('trainerStage', () => {
  it('splits the published batch, and takes as many steps as the data has batches', () => {
    const stage = trainerStage(
      { ...joint, groups: [{ parameters: ['projector'], learningRate: 1e-4 }] },
      { accumulation: 32, samples: 1000 },
    );
    expect(stage).toEqual({
      name: 'joint-projector',
      trainable: ['projector'],
      groups: [{ parameters: ['projector'], learningRate: 1e-4 }],
      learningRate: 1e-3,
      schedule: { name: 'cosine', warmupRatio: 0.03 },
      steps: 4,
      batchSize: 8,
      accumulation: 32,
      clip: null,
      weightDecay: 0,
      optimizer: { betas: [0.9, 0.999], epsilon: 1e-8 },
    });
    expect(trainerStage(honeybeeTrainingStages()[1]).steps).toBe(10_000);
  });

  it('refuses batches that cannot be split so, and data of unknown size', () => {
    expect(() => trainerStage(joint, { accumulation: 7 })).toThrow(/divides the 256 .* received 7/);
    expect(() => trainerStage({ ...joint, data: [{ name: 'own' }] })).toThrow(/number of samples/);
    expect(() => trainerStage(joint, { samples: 0 })).toThrow(ConfigError);
  });
});

describe('the stages of the other systems', () => {
  it("train what MoAI's phases train", () => {
    const model = new MoaiModel({});
    for (const [index, stage] of moaiTrainingStages().entries()) {
      startMoaiPhase(model, moaiTrainingPhases[index]!);
      const expected = Object.keys(model.trainableParameters());
      expect(namesBy(applyStage(model, stage))).toEqual([[[1e-4, 2e-5][index], expected]]);
      expect(stage.mode).toBe(moaiTrainingPhases[index]!.mode);
    }
  });

  it("train Honeybee's projector, then the language model too, and never the encoder", () => {
    const model = new VisionLanguageModel(smallConfig('c-abstractor'));
    const parts = honeybeeTrainingStages().map((stage) => {
      const [[rate, names]] = namesBy(applyStage(model, stage)) as [readonly [number, string[]]];
      return [rate, [...new Set(names.map((name) => name.split('.')[0]))]];
    });
    expect(parts).toEqual([
      [3e-4, ['projector']],
      [2e-5, ['projector', 'language']],
    ]);
    const first = (options: Parameters<typeof honeybeeTrainingStages>[0]) =>
      honeybeeTrainingStages(options)[0].learningRate;
    expect([first({ projector: 'd-abstractor' }), first({ pretrainingLearningRate: 'code' })]).toEqual([1e-4, 1e-4]);
  });

  it('train LLaVA-OV-Manager at one learning rate, as its optimizer did, or at those that were declared', () => {
    const model = new ManagedVisionLanguageModel(managedModelConfigs['llava-ov-manager-grid']);
    const [alignment] = llavaOvManagerTrainingStages();
    const [[, aligned]] = namesBy(applyStage(model, alignment)) as [readonly [number, string[]]];
    expect(aligned.every((name) => /^decoder\.(projector|managers)\./.test(name))).toBe(true);
    expect(namesBy(applyStage(model, llavaOvManagerTrainingStages()[2])).map(([rate]) => rate)).toEqual([1e-5]);
    const declared = namesBy(applyStage(model, llavaOvManagerTrainingStages({ learningRates: 'declared' })[2]));
    expect(declared.map(([rate]) => rate).sort((a, b) => a - b)).toEqual([2e-6, 1e-5, 5e-5]);
    for (const [rate, names] of declared) {
      const part = rate === 2e-6 ? /^vision\./ : rate === 5e-5 ? /^decoder\.managers\./ : /^decoder\.(?!managers)/;
      expect(
        names.every((name) => part.test(name)),
        String(rate),
      ).toBe(true);
    }
  });
});

describe('stageImages', () => {
  it('pads, cuts or squeezes images as a stage does', () => {
    const picture = solidImage({ width: 40, height: 20 }, [255, 255, 255]);
    const corner = (images: 'pad' | 'crop' | 'squash') => {
      const { imageProcessor, grid } = stageImages(images, 16);
      const { data, width, height } = preprocessImage(picture, imageProcessor);
      expect([width, height, grid]).toEqual([16, 16, null]);
      return data[0]!;
    };
    // White, but where the padding is: the mean colour, truncated to bytes, is a little below zero.
    expect(corner('crop')).toBeCloseTo(1.93, 2);
    expect(corner('squash')).toBeCloseTo(1.93, 2);
    expect(corner('pad')).toBeCloseTo((122 / 255 - 0.48145466) / 0.26862954, 3);
  });

  it('has the published canvases in tiles of the encoder', () => {
    expect(stageImages('anyres_max_9', 384, { statistics: 'siglip' }).grid).toEqual(PUBLISHED_GRIDS.anyres_max_9);
    const { grid, imageProcessor } = stageImages('anyres', 16, { statistics: 'siglip' });
    expect(grid).toMatchObject({
      tile: 16,
      maximumTiles: null,
      candidates: expect.arrayContaining([{ width: 48, height: 16 }]),
    });
    expect(imageProcessor.mean).toEqual([0.5, 0.5, 0.5]);
  });
});
