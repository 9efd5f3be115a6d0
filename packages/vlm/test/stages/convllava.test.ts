import { ConfigError, closeEngine } from '@ocelli/core-tensor';
import { ConvNextTower, convNextConfigs, parseConvNextConfig } from '@ocelli/encoders';
import { afterAll, describe, expect, it } from 'vitest';
import {
  applyStage,
  type ConvLlavaTrainingOptions,
  convLlavaTrainingStages,
  convLlavaVision,
  stageSteps,
  startFromFewerStages,
  VisionLanguageModel,
} from '../../src/index.js';
import { smallConfig } from '../support.js';
import { movedBy, namesOf } from './support.js';

const four = parseConvNextConfig({ depths: [1, 1, 3, 1], hiddenSizes: [4, 4, 6, 8], layerScaleInit: 1, imageSize: 64 });
const side = 64;

function modelOf(addedStageDepth: number): VisionLanguageModel {
  const vision = convLlavaVision({ base: four, imageSize: addedStageDepth === 0 ? 32 : 64, addedStageDepth });
  const { language } = smallConfig();
  return new VisionLanguageModel({ vision, projector: { type: 'mlp', depth: 2 }, language }).initialize(1);
}

const stagesOf = (model: VisionLanguageModel, options?: ConvLlavaTrainingOptions) =>
  convLlavaTrainingStages((model.vision as ConvNextTower).config, options);

afterAll(closeEngine);

describe("ConvLLaVA's stages on a small tower", () => {
  it('move the fifth stage, then stages three to five and the language model, then no encoder', async () => {
    const model = modelOf(2);
    const [first, second, third] = stagesOf(model);
    expect(await movedBy(model, first!, { side })).toEqual(
      namesOf(model, (name) => /^(vision\.encoder\.stages\.4|projector)\./.test(name)),
    );
    expect(await movedBy(model, second!, { side })).toEqual(
      namesOf(model, (name) => /^(vision\.encoder\.stages\.[234]|projector|language)\./.test(name)),
    );
    expect(await movedBy(model, third!, { side })).toEqual(
      namesOf(model, (name) => /^(projector|language)\./.test(name)),
    );
  });

  it('move the head of the language model in the first stage as the code does, where it is asked for', async () => {
    const model = modelOf(1);
    const [first] = stagesOf(model, { trainLmHead: true });
    expect(await movedBy(model, first!, { side })).toEqual(
      namesOf(model, (name) => /^(vision\.encoder\.stages\.4|projector|language\.lm_head)\./.test(name)),
    );
  });

  it('move the last blocks of a tower with four stages, downsampling and stem left as they are', async () => {
    const model = modelOf(0);
    const options = { protocol: 'updated', trainFrom: { stage: 2, block: 1 } } as const;
    const [first, second, third] = stagesOf(model, options);
    expect(await movedBy(model, first!, { side: 32 })).toEqual(namesOf(model, (name) => name.startsWith('projector.')));
    const upper = /^(vision\.encoder\.stages\.(2\.layers\.[12]|3)|projector|language)\./;
    expect(await movedBy(model, second!, { side: 32 })).toEqual(namesOf(model, (name) => upper.test(name)));
    expect(await movedBy(model, third!, { side: 32 })).toEqual(
      namesOf(model, (name) => /^(projector|language)\./.test(name)),
    );
  });

  it('move the stem where everything is to train', () => {
    const model = modelOf(1);
    const [, second] = stagesOf(model, { trainFrom: null });
    const [group] = applyStage(model, second!);
    expect(Object.keys(group!.parameters)).toEqual(Object.keys(model.namedParameters()));
  });
});

describe('convLlavaTrainingStages', () => {
  const large = convNextConfigs['convllava-convnext-1536'];

  it('trains as many parameters of the published encoders as were published', () => {
    const trained = (vision: typeof large, options: ConvLlavaTrainingOptions, stage: number) => {
      const tower = new ConvNextTower(vision);
      const { trainable } = convLlavaTrainingStages(vision, options)[stage]!;
      const own = trainable.filter((name) => name.startsWith('vision.')).map((name) => name.slice('vision.'.length));
      tower.freeze().unfreeze(...own);
      return Object.values(tower.trainableParameters()).reduce((sum, { size }) => sum + size, 0);
    };
    expect(trained(large, {}, 0)).toBe(472_934_400);
    expect(trained(large, {}, 1)).toBe(472_934_400 + 61_612_032 + 129_785_856);
    const fourStages = convNextConfigs['clip-convnext-large-d-320'];
    // 15 blocks of the third stage, and the fourth with its downsampling layer.
    expect(trained(fourStages, { protocol: 'updated' }, 1)).toBe(15 * (8 * 768 ** 2 + 58 * 768) + 61_612_032);
  });

  it('has the settings of the tables, and those of the scripts as options', () => {
    const rates = (options: ConvLlavaTrainingOptions = {}) =>
      convLlavaTrainingStages(large, options).map(({ learningRate, batchSize }) => [learningRate, batchSize]);
    expect(rates()).toEqual([
      [3e-4, 256],
      [2e-5, 256],
      [2e-5, 128],
    ]);
    expect(rates({ pretrainingLearningRate: 'script' })[1]).toEqual([1e-3, 256]);
    const fourStages = convNextConfigs['clip-convnext-large-d-320'];
    const frozen = convLlavaTrainingStages(fourStages, { protocol: 'frozen' });
    expect(frozen.map(({ trainable, learningRate }) => [trainable, learningRate])).toEqual([
      [['projector'], 1e-3],
      [['projector', 'language'], 2e-5],
    ]);
    expect(
      convLlavaTrainingStages(large).every(({ clip, template }) => clip === null && template === 'vicuna_v1'),
    ).toBe(true);
    expect(convLlavaTrainingStages(large, { clip: 1 })[0]!.clip).toBe(1);
    // About 7.85k, 11.2k and 5.2k steps.
    expect(convLlavaTrainingStages(large).map((stage) => stageSteps(stage))).toEqual([7851, 11_182, 5196]);
  });

  it('refuses a stage that the tower does not have', () => {
    expect(() => convLlavaTrainingStages(large, { trainFrom: { stage: 5 } })).toThrow(ConfigError);
  });
});

describe('convLlavaVision', () => {
  it('has the published structure, at any size', () => {
    const { depths, hiddenSizes, imageSize, dropPathRate } = convLlavaVision({ imageSize: 1024 });
    expect({ depths, hiddenSizes, imageSize, dropPathRate }).toEqual({
      depths: [3, 3, 27, 3, 6],
      hiddenSizes: [192, 384, 768, 1536, 3072],
      imageSize: 1024,
      dropPathRate: 0,
    });
    expect(convLlavaVision({ addedStageDepth: 0 }).depths).toEqual([3, 3, 27, 3]);
    expect(convLlavaVision({ addedStageDepth: 3, addedStageWidth: 1536 }).hiddenSizes.at(-1)).toBe(1536);
  });

  it('takes blocks off the fourth stage before it adds the fifth', () => {
    expect(convLlavaVision({ selectLayer: -2 }).depths).toEqual([3, 3, 27, 2, 6]);
    expect(() => convLlavaVision({ selectLayer: -4 })).toThrow(/-3 to -1, .* received -4/);
    expect(() => convLlavaVision({ selectLayer: 0 })).toThrow(ConfigError);
  });

  it('leaves the choice of the stage to the feature layer of the model', () => {
    const vision = convLlavaVision({ base: four, addedStageDepth: 1, imageSize: 64 });
    const { language } = smallConfig();
    const shared = { vision, projector: { type: 'linear' }, language } as const;
    const [last, fourth] = [-1, -2].map((featureLayer) => new VisionLanguageModel({ ...shared, featureLayer }));
    expect([last!.visualTokensPerImage, fourth!.visualTokensPerImage]).toEqual([1, 4]);
    expect(fourth!.projector.config.visionWidth).toBe(8);
  });
});

describe('startFromFewerStages', () => {
  it("keeps the tower's values, and starts the last stage as PyTorch does", async () => {
    const tower = new ConvNextTower(four).initialize(9);
    const model = modelOf(1);
    await startFromFewerStages(model, tower, { seed: 3 });
    const [values, given] = [await model.vision.state(), await tower.state()];
    for (const [name, { data }] of Object.entries(given)) expect(values[name]!.data, name).toEqual(data);
    // Biases start at 0 in the other stages; here within ±1/√inputs, and not at 0.
    const bias = values['encoder.stages.4.layers.0.pwconv1.bias']!.data as Float32Array;
    expect(bias.some((value) => value !== 0)).toBe(true);
    expect(Math.max(...bias.map(Math.abs))).toBeLessThan(1 / Math.sqrt(16));
  });

  it('refuses a model over another tower', async () => {
    const other = new ConvNextTower({ ...four, depths: [1, 1, 2, 1] });
    await expect(startFromFewerStages(modelOf(1), other)).rejects.toThrow(/one more stage.*\[1,1,2,1,1\]/);
    await expect(startFromFewerStages(new VisionLanguageModel(smallConfig()), other)).rejects.toThrow(/clip/);
  });
});
