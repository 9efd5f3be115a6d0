import { basename, extname, join } from 'node:path';
import { closeEngine } from '@ocelli/core-tensor';
import { saveModel } from '@ocelli/vlm';
import { formatCount } from '../report/format-numbers.js';
import type { ReproduceContext } from '../reproduce/context.js';
import { trainOrResume } from '../reproduce/train-or-resume.js';
import type { TrainingStage } from './config.js';
import { initializeModel } from './create-model.js';
import { prepareTraining, type Training } from './prepare.js';
import { describeRun, hasCheckpoint, requireOwnFolder, runFolder } from './run-folder.js';
import { type ModelInputs, trainingLoss } from './trained-model.js';

export interface TrainCommandOptions extends ReproduceContext {
  /** Folder of the run. Default: `runs/` and the name of the configuration file. */
  readonly out?: string | undefined;
  /** Go on where an earlier call was interrupted; nothing to go on from is no error. */
  readonly resume: boolean;
}

/**
 * Trains the model of a configuration file in all its stages. The folder of the run has the metrics, the checkpoints,
 * `config.json` with every default filled in, `tokenizer/`, and in the end `model/`.
 *
 * @throws ConfigError if the configuration is invalid or the folder has another run; ResumeError if the run had other
 *   settings; the signal's reason if it is aborted, after a checkpoint was saved.
 */
export async function trainCommand(
  configFile: string,
  { out, resume, ...context }: TrainCommandOptions,
): Promise<void> {
  const { reporter, signal } = context;
  const folder = out ?? join('runs', basename(configFile, extname(configFile)));
  const training = await prepareTraining(configFile, {
    onBrokenImage: ({ file, sampleId }) => reporter.line(`A black image instead of ${file}, of sample ${sampleId}`),
  });
  const { config, model, tokenizerFiles, identity, batches } = training;
  await requireOwnFolder(folder, config, resume);
  try {
    await initializeModel(model, config);
    if (!hasCheckpoint(folder)) await describeRun(folder, config, tokenizerFiles);
    reporter.line(describe(training, folder));
    await trainOrResume(
      {
        directory: folder,
        config: { seed: config.seed, stages: config.stages.map(stageOfTrainer) },
        identity,
        model,
        loss: (inputs: ModelInputs, key) => trainingLoss(model, inputs, key),
        checkpoints: config.checkpoints,
        batches,
      },
      context,
    );
    await saveModel(runFolder(folder).model, model);
    // Paths may have changed since the run was started.
    await describeRun(folder, config, tokenizerFiles);
    reporter.line(`Trained: the model is in ${runFolder(folder).model}`);
  } catch (error) {
    if (signal.aborted && error === signal.reason) reporter.line(`Interrupted: go on with --resume --out ${folder}`);
    throw error;
  } finally {
    await closeEngine();
  }
}

/** What of a stage is not its data. */
function stageOfTrainer(stage: TrainingStage) {
  const { data, mixing, groupByLength, grid, template, maximumLength, imageProcessor, ...settings } = stage;
  return settings;
}

function describe({ config: { stages }, model }: Training, folder: string): string {
  const steps = stages.reduce((sum, stage) => sum + stage.steps, 0);
  const size = `${formatCount(model.parameterCount())} parameters, ${model.visualTokensPerImage} visual tokens per image`;
  return `Training in ${folder}: ${size}, ${steps} steps in ${stages.length} ${stages.length === 1 ? 'stage' : 'stages'}`;
}
