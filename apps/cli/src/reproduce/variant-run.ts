import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadWeights, writeFileAtomically } from '@ocelli/core-tensor';
import { accuracyByType, type ScoredQuestion } from '@ocelli/eval';
import {
  type FittedProjectorConfigInput,
  saveModel,
  toTensors,
  type VisionConfigInput,
  type VisionLanguageBatch,
  type VisionLanguageConfig,
  VisionLanguageModel,
} from '@ocelli/vlm';
import { answerQuestions } from '../evaluate/answer-questions.js';
import type { Scale } from '../recipe/schema.js';
import type { SeedRun } from '../report/results.js';
import { describeRun } from '../train/run-folder.js';
import { maximumLength, trainingBatches } from './batches.js';
import type { ReproduceContext } from './context.js';
import { readStageRuns } from './loss-curves.js';
import { languageConfig } from './pretrain.js';
import { trainOrResume } from './train-or-resume.js';
import { captionConversation, questionConversation, testQuestions, type World } from './world.js';

/** Folders of the parts that all variants share. */
export interface SharedParts {
  readonly vision: string;
  readonly language: string;
}

/** One variant, trained and evaluated under one seed. */
export interface VariantRun {
  readonly run: SeedRun;
  readonly visualTokens: number;
  readonly parameters: number;
  /** Every test question with the answer. */
  readonly questions: readonly ScoredQuestion[];
}

/** The configuration of the model with this projector. */
export function variantConfig(scale: Scale, world: World, variant: string): VisionLanguageConfig {
  const vision = scale.vision.config as VisionConfigInput;
  const { featureLayer } = scale.vision;
  const language = languageConfig(scale, world);
  const projector = scale.variants[variant] as FittedProjectorConfigInput;
  return { vision, language, projector, featureLayer };
}

/**
 * Trains a variant in all stages and scores it, or reads what an earlier call found out. An interrupted run goes on from
 * its last checkpoint.
 *
 * @param folder of the run: checkpoints, metrics, the trained model, `result.json`.
 */
export async function runVariant(
  {
    scale,
    world,
    shared,
    variant,
    seed,
    folder,
  }: { scale: Scale; world: World; shared: SharedParts; variant: string; seed: number; folder: string },
  context: ReproduceContext,
): Promise<VariantRun> {
  const resultFile = join(folder, 'result.json');
  if (existsSync(resultFile)) return JSON.parse(await readFile(resultFile, 'utf8')) as VariantRun;
  await mkdir(folder, { recursive: true });
  const config = variantConfig(scale, world, variant);
  const model = new VisionLanguageModel(config).initialize(seed);
  await loadWeights(model.vision, shared.vision);
  await loadWeights(model.language, shared.language);

  const conversations = {
    captions: world.train.map(captionConversation),
    questions: world.train.map(questionConversation),
  };
  const stages = scale.stages.map(({ data: _, ...stage }) => stage);
  await trainOrResume(
    {
      directory: folder,
      config: { seed, stages },
      identity: { model: config, world: world.identity, shared } as never,
      model,
      loss: (batch: VisionLanguageBatch, dropoutKey) => model.loss(batch, { dropoutKey }),
      checkpoints: { keepLast: 1 },
      batches: ({ stage, state }) => {
        const { data, batchSize } = scale.stages.find(({ name }) => name === stage.name)!;
        const options = {
          scale,
          tokenizer: world.tokenizer,
          batchSize,
          visualTokens: model.visualTokensPerImage,
          seed,
          state,
        };
        return trainingBatches(data, conversations[data], options, toTensors);
      },
    },
    context,
  );
  context.reporter.status('Answering the test questions');
  model.freeze();
  const { template } = scale;
  const { tokenizer } = world;
  const questions = await answerQuestions(model, world.test.flatMap(testQuestions), {
    template,
    tokenizer,
    maximumLength,
    signal: context.signal,
  });
  const { byType, overall } = accuracyByType(questions);
  const result: VariantRun = {
    run: { seed, accuracy: byType, overall, stages: await readStageRuns(join(folder, 'metrics.jsonl')) },
    visualTokens: model.visualTokensPerImage,
    parameters: model.parameterCount(),
    questions,
  };
  await saveModel(join(folder, 'model'), model);
  const data = { train: { file: world.files.train }, test: { file: world.files.test } };
  await describeRun(folder, { seed, data, template, maximumLength }, world.tokenizerFiles);
  await writeFileAtomically(resultFile, `${JSON.stringify(result)}\n`);
  return result;
}
