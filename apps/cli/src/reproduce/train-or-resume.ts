import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createProgress, type Progress, type TrainOptions, train } from '@ocelli/trainer';
import type { ReproduceContext } from './context.js';

type Options<Inputs> = Omit<TrainOptions<Inputs>, 'resume' | 'progress' | 'signal' | 'handleSignals'>;

/**
 * Trains to the end, from the latest checkpoint if the folder has one.
 *
 * @throws the signal's reason if it is aborted, after a checkpoint was saved.
 */
export async function trainOrResume<Inputs>(options: Options<Inputs>, { signal }: ReproduceContext): Promise<void> {
  const { status } = await train({
    ...options,
    resume: existsSync(join(options.directory, 'checkpoints', 'latest')),
    progress: lossOnly(createProgress()),
    signal,
    handleSignals: false,
  });
  if (status === 'interrupted') throw signal.reason;
}

/** The other numbers are in the metrics. */
function lossOnly(progress: Progress): Progress {
  return { ...progress, report: (report) => progress.report({ ...report, values: { loss: report.values.loss! } }) };
}
