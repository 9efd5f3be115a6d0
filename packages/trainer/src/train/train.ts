import { parseConfig } from '@ocelli/core-tensor';
import type { BatchError, NonFiniteError, ResumeError, RunFileError, TrainingEngineError } from '../errors.js';
import type { JsonValue } from '../json.js';
import { trainConfigSchema } from './config.js';
import type { TrainOptions, TrainResult } from './options.js';
import { openRun } from './run.js';
import { Trainer } from './trainer.js';

/**
 * Trains a model stage by stage, and leaves a folder with metrics and checkpoints that the run can be resumed from: a
 * resumed run ends with the same bytes as one that was never stopped.
 *
 * @throws ConfigError for a config that is malformed or does not fit the model, {@link BatchError} if the batches end,
 *   {@link NonFiniteError} for a loss that is not finite, {@link ResumeError} if the run cannot be resumed,
 *   {@link RunFileError} if a file cannot be written, {@link TrainingEngineError} if the engine fails. Checkpoints
 *   that were saved before are intact.
 *
 * @example
 * ```ts
 * const result = await train({ config, model, loss, batches: ({ state }) => repeatBatches(batches, state), directory });
 * if (result.status === 'interrupted') process.exitCode = 130;
 * ```
 */
export async function train<Inputs>(options: TrainOptions<Inputs>): Promise<TrainResult> {
  const config = parseConfig('train', trainConfigSchema, options.config);
  const run = await openRun(options, config as unknown as JsonValue);
  try {
    const trainer = new Trainer(options, config, run);
    for (const [index, stage] of config.stages.entries()) {
      if (index < trainer.firstStage) continue;
      const isDone = await trainer.runStage(index, stage);
      if (!isDone) return trainer.result('interrupted');
    }
    return trainer.result('completed');
  } finally {
    await run.close();
  }
}
