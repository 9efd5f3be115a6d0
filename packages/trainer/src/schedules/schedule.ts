import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import {
  constant,
  cosine,
  cosineFromMinimum,
  cosineWithMinimum,
  linear,
  polynomial,
  type ScheduleTime,
} from './decay.js';

const warmup = {
  /** Steps from 0 (or the minimum) to the peak. Wins over the ratio unless it is 0. */
  warmupSteps: z.int().nonnegative().default(0),
  /** The same as a share of all steps, rounded up. */
  warmupRatio: z.number().min(0).max(1).default(0),
};

const minimumLearningRate = z.number().nonnegative();

/** A learning-rate schedule as data. Names are those of transformers where it has the schedule. */
export const scheduleConfigSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant') }),
  z.strictObject({ name: z.literal('constant_with_warmup'), ...warmup }),
  z.strictObject({ name: z.literal('linear'), ...warmup }),
  z.strictObject({ name: z.literal('cosine'), ...warmup }),
  z.strictObject({ name: z.literal('cosine_with_min_lr'), ...warmup, minimumLearningRate }),
  z.strictObject({
    name: z.literal('polynomial'),
    ...warmup,
    power: z.number().positive().default(1),
    /** Learning rate after the last step. */
    endLearningRate: z.number().nonnegative().default(0),
  }),
  /** Warm-up from the minimum to the peak, cosine back to the minimum (Honeybee). */
  z.strictObject({ name: z.literal('cosine_from_min_lr'), ...warmup, minimumLearningRate }),
]);

/** What {@link createSchedule} takes; defaults may be left out. */
export type ScheduleConfig = z.input<typeof scheduleConfigSchema>;

/** Learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/** What a schedule is stretched over. */
export interface ScheduleSpan {
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Optimizer steps in all. */
  readonly steps: number;
}

/**
 * A learning-rate schedule by name. With a warm-up from 0 the first step has a learning rate of 0, as in transformers.
 *
 * @throws ConfigError for an unknown name or option, or a span that is not positive.
 *
 * @example
 * ```ts
 * const schedule = createSchedule({ name: 'cosine', warmupRatio: 0.03 }, { learningRate: 1e-3, steps: 1000 });
 * ```
 */
export function createSchedule(config: ScheduleConfig, { learningRate, steps }: ScheduleSpan): Schedule {
  const parsed = parseConfig('createSchedule', scheduleConfigSchema, config);
  if (!(learningRate > 0) || !Number.isInteger(steps) || steps < 1) {
    throw new ConfigError({
      operation: `createSchedule (${parsed.name})`,
      expected: 'a positive learning rate and a positive number of steps',
      received: `learningRate ${learningRate}, steps ${steps}`,
    });
  }
  const warmupSteps = warmupStepsOf(parsed, steps);
  return (step) => {
    const time: ScheduleTime = { step, warmupSteps, steps };
    switch (parsed.name) {
      case 'constant':
      case 'constant_with_warmup':
        return learningRate * constant(time);
      case 'linear':
        return learningRate * linear(time);
      case 'cosine':
        return learningRate * cosine(time);
      case 'cosine_with_min_lr':
        return learningRate * cosineWithMinimum(time, parsed.minimumLearningRate / learningRate);
      case 'polynomial':
        return learningRate * polynomial(time, parsed.endLearningRate / learningRate, parsed.power);
      case 'cosine_from_min_lr':
        return learningRate * cosineFromMinimum(time, parsed.minimumLearningRate / learningRate);
    }
  };
}

/** Steps of the warm-up, by the rule of the transformers trainer. */
function warmupStepsOf(config: z.output<typeof scheduleConfigSchema>, steps: number): number {
  if (config.name === 'constant') return 0;
  return config.warmupSteps > 0 ? config.warmupSteps : Math.ceil(steps * config.warmupRatio);
}
