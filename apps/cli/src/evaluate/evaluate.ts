import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, closeEngine, writeFileAtomically } from '@ocelli/core-tensor';
import { loadTokenizer } from '@ocelli/data';
import { accuracyByType, constantBaseline } from '@ocelli/eval';
import { loadModel, ManagedVisionLanguageModel, modelKindOf, VisionLanguageModel } from '@ocelli/vlm';
import { UnknownNameError } from '../errors.js';
import type { ReproduceContext } from '../reproduce/context.js';
import { type RunDescription, runSchema } from '../train/config.js';
import { readRunFile, requireData } from '../train/load-config.js';
import { refuseIn } from '../train/refuse.js';
import { runFolder } from '../train/run-folder.js';
import { type TrainedModel, trainedKinds } from '../train/trained-model.js';
import { answerQuestions } from './answer-questions.js';
import { readQuestions } from './read-questions.js';
import { renderScoreTable } from './score-table.js';

export interface EvaluateCommandOptions extends ReproduceContext {
  /** Name of a part of the run's data. */
  readonly split: string;
  /** Questions to ask, the first ones. Default: all. */
  readonly limit?: number | undefined;
  /** Keep the aspect ratio of images and give their shortest edge so many pixels, one question at a time. */
  readonly shortestEdge?: number | undefined;
}

/**
 * Asks the model of a run the questions of a part of its data, prints its accuracy, and writes it with all answers to
 * `evaluation-SPLIT.json` in the folder of the run. Returns the path of that file.
 *
 * @throws ConfigError if the folder has no trained model, or the data is not where the run says; UnknownNameError for a
 *   split that the run does not have; the signal's reason if it is aborted.
 */
export async function evaluateCommand(
  folder: string,
  { split, limit, shortestEdge, reporter, signal }: EvaluateCommandOptions,
): Promise<string> {
  const { data, template, maximumLength, vision, grid } = await readRun(folder);
  const names = Object.keys(data);
  if (!names.includes(split)) throw new UnknownNameError('--split', split, names);
  const { file, imageRoot } = data[split]!;
  await requireData(refuseIn(runFolder(folder).config), split, { file, imageRoot });
  const all = await readQuestions(file, imageRoot);
  const questions = all.slice(0, limit);
  // The baseline fails where there are no questions, before the model is loaded.
  const baseline = constantBaseline(questions);
  try {
    const tokenizer = await loadTokenizer(runFolder(folder).tokenizer);
    const model = (await loadTrained(runFolder(folder).model)).freeze();
    const onProgress = (done: number) => reporter.status(`Answering questions ${done}/${questions.length}`);
    onProgress(0);
    const answers = await answerQuestions(model, questions, {
      tokenizer,
      template,
      maximumLength,
      imageProcessor: vision?.imageProcessor,
      grid,
      shortestEdge,
      signal,
      onProgress,
    });
    const accuracy = accuracyByType(answers);
    const target = join(folder, `evaluation-${split}.json`);
    const contents = {
      split,
      questions: { asked: questions.length, available: all.length },
      accuracy,
      baseline,
      answers,
    };
    await writeFileAtomically(target, `${JSON.stringify(contents, undefined, 2)}\n`);
    reporter.line(renderScoreTable(accuracy, baseline));
    reporter.line(`Answers: ${target}`);
    return target;
  } finally {
    await closeEngine();
  }
}

/** @throws ConfigError if the folder has a model of a kind that is not asked so. */
async function loadTrained(folder: string): Promise<TrainedModel> {
  const model = await loadModel(folder);
  if (model instanceof VisionLanguageModel || model instanceof ManagedVisionLanguageModel) return model;
  throw new ConfigError({
    operation: `evaluate ${folder}`,
    expected: `a model of a kind that ocelli trains: ${trainedKinds.join(', ')}`,
    received: modelKindOf(model),
    remedy: 'Name a folder that train or reproduce wrote.',
  });
}

/** What a run says about itself, once it has a model. */
async function readRun(folder: string): Promise<RunDescription> {
  const { config, tokenizer, model } = runFolder(folder);
  const refuse = (received: string, remedy: string) =>
    new ConfigError({
      operation: `evaluate ${folder}`,
      expected: 'the folder of a run with a trained model',
      received,
      remedy,
    });
  if (existsSync(join(folder, 'recipe.json'))) {
    throw refuse('that of a reproduction, which has several', `Name one of ${join(folder, 'runs')}/VARIANT/seed-N.`);
  }
  if (!existsSync(config))
    throw refuse(`none: ${config} does not exist`, 'Name a folder that train or reproduce wrote.');
  const missing = [join(model, 'config.json'), tokenizer].find((path) => !existsSync(path));
  if (missing !== undefined) throw refuse(`one without ${missing}`, 'Finish the training with --resume.');
  return readRunFile(config, runSchema);
}
