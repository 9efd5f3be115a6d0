import { createHash } from 'node:crypto';
import type { LoaderOptions, TokenizerFiles } from '@ocelli/data';
import type { BatchRequest, JsonValue, ResumableBatches } from '@ocelli/trainer';
import { trainingBatches } from './batches.js';
import type { TrainingConfig } from './config.js';
import { createModel } from './create-model.js';
import { loadTrainingConfig } from './load-config.js';
import { refuseIn } from './refuse.js';
import { type StageSettings, stageSettings } from './stage-settings.js';
import { prepareTokenizer } from './tokenizer.js';
import { inputsFor, type ModelInputs, type TrainedModel } from './trained-model.js';
import { readTrainingData, stageSource } from './training-data.js';

/** All that a training run works on. */
export interface Training {
  /** With every default filled in, those of the model's parts too, and every path absolute. */
  readonly config: TrainingConfig;
  /** Without values. */
  readonly model: TrainedModel;
  readonly tokenizerFiles: TokenizerFiles;
  /** What decides the numbers beside seed and stages. */
  readonly identity: JsonValue;
  readonly batches: (request: BatchRequest) => ResumableBatches<ModelInputs>;
}

/**
 * Reads a configuration and everything it names, and checks that the parts fit; nothing is computed or written.
 *
 * @param options.onBrokenImage is told of every image that a black one replaces, where the configuration asks for that.
 * @throws ConfigError that names the file and the key; ConversationError that names a malformed sample.
 */
export async function prepareTraining(
  configFile: string,
  { onBrokenImage }: Pick<LoaderOptions, 'onBrokenImage'> = {},
): Promise<Training> {
  const refuse = refuseIn(configFile);
  const config = await loadTrainingConfig(configFile);
  const data = await readTrainingData(config);
  const { tokenizer, files } = await prepareTokenizer(config, data, refuse);
  const model = createModel(config, tokenizer.vocabularySize, refuse);
  const settings = await stageSettings(config, model.imageSize, refuse);
  const { buckets, seed, workers, brokenImages } = config;
  const toInputs = inputsFor(model, tokenizer);
  const sources = new Map(
    config.stages.map((stage, index) => [stage.name, stageSource(`stages.${index}`, stage, data, refuse, { seed })]),
  );
  const mixes = config.stages.map(({ data: parts, mixing, groupByLength }) => ({ parts, mixing, groupByLength }));
  const vocabulary = createHash('sha256').update(JSON.stringify(files.tokenizerJson)).digest('hex');
  return {
    config: withModel(config, model, settings),
    model,
    tokenizerFiles: files,
    identity: {
      model: model.config,
      settings: settings.stages,
      buckets,
      data: mixes,
      files: data.hashes,
      vocabulary,
      brokenImages,
    } as unknown as JsonValue,
    batches({ stage: { name, batchSize, accumulation }, state }) {
      const { source, imagesPerBatch } = sources.get(name)!;
      const index = config.stages.findIndex((stage) => stage.name === name);
      const { grid, ...sequences } = settings.stages[index]!;
      const options = {
        ...sequences,
        tokenizer,
        batchSize: batchSize!,
        visualTokensPerImage: model.visualTokensPerImage,
        buckets,
        seed,
        workers,
        brokenImages,
        ...(onBrokenImage && { onBrokenImage }),
        state,
        ...(config.stages[index]!.groupByLength && { groupByLength: { accumulation } }),
        // How many tiles a batch has follows from its images.
        ...(grid !== null ? { grid } : imagesPerBatch !== undefined && { imagesPerBatch }),
      };
      return trainingBatches(source, options, toInputs);
    },
  };
}

/** The configuration with what the model's parts made of theirs, and what every stage was told or not. */
function withModel(config: TrainingConfig, model: TrainedModel, { common, stages }: StageSettings): TrainingConfig {
  const { vision, language, projector, imageNewline } = model.config;
  return {
    ...config,
    ...('managers' in model.config && { model: { kind: 'managed', managers: model.config.managers } }),
    vision: { ...config.vision, config: vision, imageProcessor: common.imageProcessor },
    language: { ...config.language, config: language },
    projector,
    grid: common.grid,
    imageNewline,
    stages: config.stages.map((stage, index) => ({ ...stage, ...stages[index]! })),
  } as TrainingConfig;
}
