import { loadWeights, trainOnly } from '@ocelli/core-tensor';
import { type LlamaConfigInput, parseLlamaConfig } from '@ocelli/language';
import type { ResidualManagersConfigInput } from '@ocelli/manager';
import { parameterGroups } from '@ocelli/trainer';
import {
  createVision,
  type FittedProjectorConfigInput,
  featureShape,
  ManagedVisionLanguageModel,
  type VisionConfig,
  type VisionConfigInput,
  VisionLanguageModel,
} from '@ocelli/vlm';
import type { TrainingConfig } from './config.js';
import { heed, type Refuse } from './refuse.js';
import { partsOf, type TrainedModel } from './trained-model.js';

/**
 * The model that a configuration describes, without values. Widths of the projector that are left out follow from the
 * parts at its ends, the size of the vocabulary from the tokenizer.
 *
 * @throws ConfigError that names the part that is invalid or does not fit, or the stage that trains nothing.
 */
export function createModel(config: TrainingConfig, vocabularySize: number, refuse: Refuse): TrainedModel {
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
  heed(refuse, featureLayer === undefined ? 'vision.config' : 'vision.featureLayer', () =>
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
  const projector = config.projector as FittedProjectorConfigInput;
  const parts = { vision, language, projector };
  const { model: choice } = config;
  const create = (key: string, imageNewline: boolean) =>
    heed(refuse, key, () => {
      if (choice.kind === 'vision-language') return new VisionLanguageModel({ ...parts, featureLayer, imageNewline });
      const managers = choice.managers as ResidualManagersConfigInput;
      return new ManagedVisionLanguageModel({ ...parts, managers, imageNewline });
    });
  if (choice.kind === 'managed' && featureLayer !== undefined) {
    throw refuse('vision.featureLayer', {
      expected: "none, as a managed model projects the encoder's last level",
      received: String(featureLayer),
      remedy: 'Leave it out, or give the encoder fewer layers.',
    });
  }
  // What does not fit the parts is the projector or what is managed; with it, what does not fit a newline.
  const plain = create(choice.kind === 'managed' ? 'model' : 'projector', false);
  const model = needsNewline(config, refuse) ? create('imageNewline', true) : plain;
  checkStages(model, config, refuse);
  return model;
}

/** Finds patterns that match nothing before the stages before them have been trained. */
function checkStages(model: TrainedModel, { stages }: TrainingConfig, refuse: Refuse): void {
  for (const [index, stage] of stages.entries()) {
    heed(refuse, `stages.${index}.trainable`, () => trainOnly(model, { trainable: stage.trainable }));
    requireTrained(`stages.${index}.trainable`, stage.trainable, {
      model,
      refuse,
      remedy: 'Name the projector or the language model; graphs in files never train.',
    });
    if (stage.frozen !== undefined) {
      heed(refuse, `stages.${index}.frozen`, () => trainOnly(model, stage));
      requireTrained(`stages.${index}.frozen`, stage.frozen, { model, refuse, remedy: 'Name less.' });
    }
    heed(refuse, `stages.${index}.groups`, () => parameterGroups(model, stage));
  }
}

function requireTrained(
  key: string,
  patterns: readonly string[],
  { model, refuse, remedy }: { readonly model: TrainedModel; readonly refuse: Refuse; readonly remedy: string },
): void {
  if (Object.keys(model.trainableParameters()).length > 0) return;
  throw refuse(key, {
    expected: 'patterns that leave parameters to train',
    received: `${patterns.join(', ')}, which leave none`,
    remedy,
  });
}

/** Whether the model has the row that ends the rows of a grid. */
function needsNewline({ grid, stages, imageNewline }: TrainingConfig, refuse: Refuse): boolean {
  const hasGrid = stages.some((stage) => (stage.grid === undefined ? grid : stage.grid) != null);
  if (!hasGrid || imageNewline !== false) return imageNewline ?? hasGrid;
  throw refuse('imageNewline', {
    expected: 'true, as a stage cuts images into tiles',
    received: 'false',
    remedy: 'Leave it out, or leave out the grid.',
  });
}

/**
 * Gives every parameter its first value: drawn, or read where the configuration names weights.
 *
 * @throws CheckpointError that names the file, and every tensor that is missing, unknown or of another shape.
 */
export async function initializeModel(model: TrainedModel, { seed, vision, language }: TrainingConfig): Promise<void> {
  model.initialize(seed);
  const parts = partsOf(model);
  if (vision.weights !== undefined) await loadWeights(parts.vision, vision.weights);
  if (language.weights !== undefined) await loadWeights(parts.language, language.weights);
}
