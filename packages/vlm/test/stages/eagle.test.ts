import { ConfigError, closeEngine } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import {
  applyStage,
  assembleExperts,
  type EagleExpert,
  type EncoderMixture,
  eagleMixtures,
  eaglePreAlignmentStages,
  eagleStartingWeights,
  eagleTowers,
  eagleTrainingStages,
  type MixtureModelConfig,
  preAlignedExperts,
  preAlignmentConfig,
  stageSteps,
  VisionLanguageModel,
} from '../../src/index.js';
import { smallConfig } from '../support.js';
import { isUndecided, movedBy, namesOf } from './support.js';

const experts = ['clip', 'convnext', 'sam'] as const satisfies readonly EagleExpert[];

const config: MixtureModelConfig = {
  vision: {
    type: 'mixture',
    encoders: [
      {
        encoder: {
          type: 'clip-high-resolution',
          vision: {
            hiddenSize: 8,
            intermediateSize: 12,
            numHiddenLayers: 1,
            numAttentionHeads: 2,
            imageSize: 8,
            patchSize: 4,
          },
          inputSize: 16,
        },
      },
      { encoder: { type: 'convnext', depths: [1, 1], hiddenSizes: [4, 6], imageSize: 16, layerScaleInit: 1 } },
      {
        encoder: {
          type: 'sam',
          hiddenSize: 8,
          numHiddenLayers: 1,
          numAttentionHeads: 2,
          imageSize: 16,
          patchSize: 4,
          windowSize: 2,
          globalAttentionIndexes: [],
          outputChannels: 4,
          neck: 'short',
          pixelUnshuffle: 2,
        },
      },
    ],
    fusion: { type: 'channel-concat', grid: 2 },
    imageSize: 16,
  },
  projector: { type: 'mlp', depth: 2 },
  language: smallConfig().language,
};
const side = 16;

/** CLIP's class token is thrown away before the first norm, and nothing is behind its last layer. */
const isUnused = (name: string) => /class_embedding|post_layernorm/.test(name);

function expectMoved(model: VisionLanguageModel, moved: readonly string[], expected: (name: string) => boolean) {
  const decided = (names: readonly string[]) => names.filter((name) => !isUndecided(name));
  expect(decided(moved)).toEqual(decided(namesOf(model, (name) => expected(name) && !isUnused(name))));
}

afterAll(closeEngine);

describe("Eagle's stages on a small mixture", () => {
  it('go from pre-alignment over assembly and joint training to fine-tuning, each moving its own parameters', async () => {
    const mixture = new VisionLanguageModel(config).initialize(1);
    const language = await mixture.language.state();

    const sam = new VisionLanguageModel(preAlignmentConfig(config, 2)).initialize(2);
    sam.language.loadState(language);
    expect(sam.visualTokensPerImage).toBe(mixture.visualTokensPerImage);
    const [warmUp, alignment] = eaglePreAlignmentStages();
    const warmedUp = await movedBy(sam, warmUp, { side });
    expectMoved(sam, warmedUp, (name) => name.startsWith('projector.'));
    const aligned = await movedBy(sam, alignment, { side });
    expectMoved(sam, aligned, (name) => /^(vision|projector)\./.test(name));
    expect(aligned.some((name) => name.startsWith('vision.vision_towers.0.vision_tower.neck.'))).toBe(true);
    expect(await sam.language.state()).toEqual(language);

    const before = await mixture.state();
    await assembleExperts(mixture, { 2: sam });
    const after = await mixture.state();
    for (const [name, { data }] of Object.entries(after)) {
      const own = name.replace(/^vision\.vision_towers\.2\./, 'vision.vision_towers.0.');
      const source = own === name ? before[name]! : (await sam.state())[own]!;
      expect(data, name).toEqual(source.data);
    }

    const [joint, tuning] = eagleTrainingStages({ experts });
    expectMoved(mixture, await movedBy(mixture, joint, { side }), (name) => name.startsWith('projector.'));
    expectMoved(mixture, await movedBy(mixture, tuning, { side }), () => true);
  });

  it('leave CLIP as it is where the reading of the code of CLIP alone is chosen, also with experts unlocked', async () => {
    const mixture = new VisionLanguageModel(config).initialize(1);
    const [joint, tuning] = eagleTrainingStages({ experts, clip: 'frozen', jointExperts: 'trained' });
    const isClip = (name: string) => name.startsWith('vision.vision_towers.0.');
    expectMoved(
      mixture,
      await movedBy(mixture, joint, { side }),
      (name) => /^(vision|projector)\./.test(name) && !isClip(name),
    );
    expectMoved(mixture, await movedBy(mixture, tuning, { side }), (name) => !isClip(name));
  });

  it('freeze any expert by its name', () => {
    const mixture = new VisionLanguageModel(config);
    const [, tuning] = eagleTrainingStages({ experts, frozenExperts: ['sam', 'convnext', 'eva02'] });
    const [group] = applyStage(mixture, tuning);
    const towers = Object.keys(group!.parameters).flatMap((name) => name.match(/vision_towers\.(\d)/)?.[1] ?? []);
    expect(new Set(towers)).toEqual(new Set(['0']));
  });
});

describe('assembleExperts', () => {
  it('carries nothing where one of the experts is another than the mixture has', async () => {
    const mixture = new VisionLanguageModel(config).initialize(1);
    const before = await mixture.state();
    const [clip, sam] = [0, 2].map((index) => new VisionLanguageModel(preAlignmentConfig(config, index)).initialize(3));
    await expect(assembleExperts(mixture, { 0: clip!, 1: sam! })).rejects.toThrow(/\(1\): .*convnext.*received .*sam/);
    await expect(assembleExperts(mixture, { 3: sam! })).rejects.toThrow(ConfigError);
    await expect(assembleExperts(mixture, { 2: mixture })).rejects.toThrow(/one with 3 experts/);
    await expect(assembleExperts(mixture, { 2: new VisionLanguageModel(smallConfig()) })).rejects.toThrow(/clip/);
    expect(await mixture.state()).toEqual(before);
  });
});

describe('preAlignmentConfig', () => {
  it('gives an expert a projector of its width, and refuses one that is not there', () => {
    const wide = { ...config, projector: { type: 'mlp', depth: 2, visionWidth: 30 } } as const;
    const model = new VisionLanguageModel(preAlignmentConfig(wide, 1));
    expect((model.vision as EncoderMixture).config.encoders.map(({ encoder }) => encoder.type)).toEqual(['convnext']);
    expect(model.projector.config.visionWidth).toBe(6);
    expect(() => preAlignmentConfig(config, 3)).toThrow(/one of 3 experts, received 3/);
  });
});

describe('eagleStartingWeights', () => {
  it('names the ConvNeXt that the code loads, or the one of the paper', () => {
    expect(eagleStartingWeights().convnext).toMatch(/_ft_in1k$/);
    expect(eagleStartingWeights({ convnext: 'paper' }).convnext).toMatch(/^laion\/.*soup$/);
    expect(Object.keys(eagleStartingWeights())).toEqual(eagleMixtures['eagle-x5']);
  });
});

describe('eagleTrainingStages', () => {
  it('has the settings of the scripts, and those of the paper where it disagrees', () => {
    const [joint, tuning] = eagleTrainingStages();
    expect(joint).toMatchObject({ trainable: ['projector'], learningRate: 1e-3, batchSize: 256, images: 'crop' });
    expect(tuning).toMatchObject({ trainable: ['*'], learningRate: 2e-5, batchSize: 128, images: 'pad' });
    expect([joint, tuning].every(({ clip, maximumLength }) => clip === null && maximumLength === 2048)).toBe(true);
    // 558,128 and 595,375 captions in batches of 256; 1.809M in batches of 128.
    expect([stageSteps(joint), stageSteps(eagleTrainingStages({ captions: '595k' })[0])]).toEqual([2181, 2326]);
    expect(stageSteps(tuning)).toBe(14_133);
    expect(eagleTrainingStages({ data: '934k' })[1].data).toEqual([{ name: 'eagle-934k', samples: 933_000 }]);
    const [cambrian, llama] = [
      eagleTrainingStages({ data: 'cambrian', language: 'yi-34b' }),
      eagleTrainingStages({ language: 'llama-3' }),
    ];
    expect(cambrian.map(({ batchSize, learningRate }) => [batchSize, learningRate])).toEqual([
      [1024, 2e-4],
      [1024, 2e-5],
    ]);
    expect([cambrian[1].template, llama[1].template]).toEqual(['chatml_direct', 'llama3']);
  });

  it('knows the experts of the published mixtures in the order of their towers', () => {
    const names = {
      clip: 'clip-448',
      convnext: 'convnext-1024',
      sam: 'sam-1024',
      eva02: 'det-1024',
      pix2struct: 'pix2struct-1024',
    };
    for (const name of ['eagle-x4', 'eagle-x5'] as const) {
      expect(eagleMixtures[name].map((expert) => names[expert]).join(';')).toBe(eagleTowers[name]);
    }
    expect(preAlignedExperts()).toEqual(['sam', 'eva02', 'pix2struct']);
    expect(preAlignedExperts(eagleMixtures['eagle-x4'], 'table-5')).toEqual(['convnext', 'eva02', 'pix2struct']);
  });
});
