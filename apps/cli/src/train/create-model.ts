import { loadWeights } from '@ocelli/core-tensor';
import { type LlamaConfigInput, parseLlamaConfig } from '@ocelli/language';
import { createProjector, type ProjectorConfigInput } from '@ocelli/projectors';
import { namePattern, parameterGroups } from '@ocelli/trainer';
import {
  createVision,
  featureShape,
  type VisionConfig,
  type VisionConfigInput,
  VisionLanguageModel,
} from '@ocelli/vlm';
import type { TrainingConfig } from './config.js';
import { heed, type Refuse } from './refuse.js';

/**
 * The model that a configuration describes, without values. Widths of the projector that are left out follow from the
 * parts at its ends, the size of the vocabulary from the tokenizer.
 *
 * @throws ConfigError that names the part that is invalid or does not fit, or the stage that trains nothing.
 */
export function createModel(config: TrainingConfig, vocabularySize: number, refuse: Refuse): VisionLanguageModel {
  const encoder = heed(refuse, 'vision.config', () => createVision(config.vision.config as VisionConfigInput));
  const vision = encoder.config as VisionConfig;
  const { featureLayer, weights } = config.vision;
  if (encoder.copyFiles && weights !== undefined) {
    throw refuse('vision.weights', {
      expected: `none beside ${vision.type}, which has its weights in its file`,
      received: weights,
      remedy: 'Leave it out.',
    });
  }
  const features = heed(refuse, featureLayer === undefined ? 'vision.config' : 'vision.featureLayer', () =>
    featureShape(encoder, featureLayer),
  );
  const language = heed(refuse, 'language.config', () =>
    parseLlamaConfig({ vocabSize: vocabularySize, ...config.language.config } as LlamaConfigInput),
  );
  if (language.vocabSize < vocabularySize) {
    throw refuse('language.config.vocabSize', {
      expected: `at least ${vocabularySize}, the vocabulary of the tokenizer`,
      received: String(language.vocabSize),
      remedy: 'Leave it out, or take the tokenizer of the language model.',
    });
  }
  const projector = heed(refuse, 'projector', () => {
    const { tokens: inputTokens, width: visionWidth } = features;
    const widths = { visionWidth, languageWidth: language.hiddenSize, inputTokens };
    return createProjector({ ...widths, ...config.projector } as ProjectorConfigInput).config;
  });
  const model = heed(refuse, undefined, () => new VisionLanguageModel({ vision, language, projector, featureLayer }));
  checkStages(model, config, refuse);
  return model;
}

/** Finds patterns that match nothing before the stages before them have been trained. */
function checkStages(model: VisionLanguageModel, { stages }: TrainingConfig, refuse: Refuse): void {
  for (const [index, stage] of stages.entries()) {
    heed(refuse, `stages.${index}.trainable`, () => model.freeze().unfreeze(...stage.trainable.map(namePattern)));
    if (Object.keys(model.trainableParameters()).length === 0) {
      throw refuse(`stages.${index}.trainable`, {
        expected: 'patterns of parameters that can be trained',
        received: `${stage.trainable.join(', ')}, which are fixed`,
        remedy: 'Name the projector or the language model; graphs in files never train.',
      });
    }
    heed(refuse, `stages.${index}.groups`, () => parameterGroups(model, stage));
  }
}

/**
 * Gives every parameter its first value: drawn, or read where the configuration names weights.
 *
 * @throws CheckpointError that names the file, and every tensor that is missing, unknown or of another shape.
 */
export async function initializeModel(
  model: VisionLanguageModel,
  { seed, vision, language }: TrainingConfig,
): Promise<void> {
  model.initialize(seed);
  if (vision.weights !== undefined) await loadWeights(model.vision, vision.weights);
  if (language.weights !== undefined) await loadWeights(model.language, language.weights);
}
