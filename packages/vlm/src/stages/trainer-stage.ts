import { ConfigError } from '@ocelli/core-tensor';
import type { StageSchedule, TrainingStage } from './training-stage.js';

/** A stage in the form that `train` of `@ocelli/trainer` takes. */
export interface TrainerStage {
  readonly name: string;
  readonly trainable: string[];
  readonly frozen?: string[];
  readonly learningRate: number;
  readonly groups: { parameters: string[]; learningRate: number }[];
  readonly schedule: StageSchedule;
  readonly steps: number;
  readonly batchSize: number;
  readonly accumulation: number;
  readonly clip: number | null;
  readonly weightDecay: number;
  readonly optimizer: { betas: [number, number]; epsilon: number };
}

/** What a stage leaves open. */
export interface TrainerStageOptions {
  /** Conversations of the data that there is. Default: as many as were published. */
  readonly samples?: number | undefined;
  /** Batches whose gradients are averaged for one step: the published batch is split into so many. Default: 1. */
  readonly accumulation?: number | undefined;
}

/**
 * A stage as `train` of `@ocelli/trainer` takes it. An epoch has one step for each batch, of which the last may not be
 * full, as in the transformers trainer.
 *
 * @throws ConfigError where the number of samples is needed and not known, or the batch cannot be split so
 */
export function trainerStage(
  stage: TrainingStage,
  { samples, accumulation = 1 }: TrainerStageOptions = {},
): TrainerStage {
  const { name, trainable, frozen, learningRate, groups = [], schedule, batchSize, clip, weightDecay } = stage;
  if (!Number.isInteger(accumulation) || accumulation < 1 || batchSize % accumulation !== 0) {
    throw new ConfigError({
      operation: `trainerStage (${name})`,
      expected: `accumulation that divides the ${batchSize} sequences of a step`,
      received: String(accumulation),
    });
  }
  return {
    name,
    trainable: [...trainable],
    ...(frozen !== undefined && { frozen: [...frozen] }),
    learningRate,
    groups: groups.map(({ parameters, learningRate: rate }) => ({ parameters: [...parameters], learningRate: rate })),
    schedule,
    steps: stageSteps(stage, samples),
    batchSize: batchSize / accumulation,
    accumulation,
    clip,
    weightDecay,
    optimizer: { betas: [...stage.optimizer.betas], epsilon: stage.optimizer.epsilon },
  };
}

/**
 * Optimizer steps of a stage.
 *
 * @param samples of its data. Default: as many as were published
 * @throws ConfigError if it lasts epochs, and the number of samples is not known
 */
export function stageSteps({ name, duration, data, batchSize }: TrainingStage, samples?: number): number {
  if ('steps' in duration) return duration.steps;
  const published = data.map((part) => part.samples);
  const count =
    samples ?? published.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0);
  if (count === undefined || !(count > 0)) {
    throw new ConfigError({
      operation: `stageSteps (${name})`,
      expected: 'the number of samples, which was not published of all of its data',
      received: String(samples),
      remedy: 'Pass samples.',
    });
  }
  return duration.epochs * Math.ceil(count / batchSize);
}
