import {
  compareExactly,
  compareWithFixture,
  type ParityCheck,
  type ParityResult,
  parseConfig,
  tensor,
  worstOf,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import { createSchedule, type ScheduleConfig } from '../schedules/schedule.js';

/** Schedules of transformers by the functions that make them. */
const functions = {
  get_constant_schedule: 'constant',
  get_constant_schedule_with_warmup: 'constant_with_warmup',
  get_linear_schedule_with_warmup: 'linear',
  get_cosine_schedule_with_warmup: 'cosine',
  get_cosine_with_min_lr_schedule_with_warmup: 'cosine_with_min_lr',
  get_polynomial_decay_schedule_with_warmup: 'polynomial',
} as const;

const functionNames = Object.keys(functions) as (keyof typeof functions)[];

const schedulesSchema = z.object({
  cases: z.record(
    z.string(),
    z.tuple([
      z.enum(functionNames as [keyof typeof functions, ...(keyof typeof functions)[]]),
      z.strictObject({
        num_warmup_steps: z.int().optional(),
        num_training_steps: z.int().optional(),
        /** Peak; 1 where it is left out. */
        lr: z.number().default(1),
        min_lr: z.number().optional(),
        lr_end: z.number().optional(),
        power: z.number().optional(),
      }),
      z.int(),
    ]),
  ),
});

/** `backbones/schedules`: the learning rate of every step. */
export const checkSchedules: ParityCheck = async (fixture) => {
  const { cases } = parseConfig(`read ${fixture.file}`, schedulesSchema, fixture.config);
  const outputs = Object.entries(cases).map(([name, [made, options, count]]) => {
    const config = {
      name: functions[made],
      warmupSteps: options.num_warmup_steps,
      minimumLearningRate: options.min_lr,
      endLearningRate: options.lr_end,
      power: options.power,
    };
    const schedule = createSchedule(withoutUndefined(config) as ScheduleConfig, {
      learningRate: options.lr,
      steps: options.num_training_steps ?? count,
    });
    return [name, tensor(Float32Array.from({ length: count }, (_, step) => schedule(step)))] as const;
  });
  return compareWithFixture(fixture, { outputs: Object.fromEntries(outputs) });
};

const cosineSchema = z.object({
  cases: z.array(
    z.object({
      total_steps: z.int(),
      warmup_ratio: z.number(),
      base_lr: z.number(),
      warmup_steps: z.int(),
      lr_at: z.array(z.tuple([z.int(), z.number()])),
    }),
  ),
});

/** `convllava/schedule`: cosine with a warm-up ratio, at chosen steps. */
export const checkCosineWithRatio: ParityCheck = async ({ file, config }) => {
  const { cases } = parseConfig(`read ${file}`, cosineSchema, config);
  return worstOf(
    cases.map(({ total_steps: steps, warmup_ratio: warmupRatio, base_lr: learningRate, lr_at: points }) => {
      const schedule = createSchedule({ name: 'cosine', warmupRatio }, { learningRate, steps });
      return compareNumbers(
        points.map(([step]) => schedule(step)),
        points.map(([, value]) => value),
      );
    }),
  );
};

const honeybeeSchema = z.object({
  learning_rate: z.array(
    z.object({
      lr: z.number(),
      min_lr: z.number(),
      warmup: z.int(),
      total: z.int(),
      steps: z.array(z.int()),
      values: z.array(z.number()),
    }),
  ),
  mixing: z.array(
    z.object({
      sizes: z.array(z.number()),
      sampling_weights: z.union([z.enum(['uniform', 'length_ratio']), z.array(z.number())]),
      probabilities: z.array(z.number()),
    }),
  ),
});

/** `honeybee/schedule_and_mixing`: learning rates, and sampling weights as probabilities. */
export const checkHoneybeeSchedule: ParityCheck = async ({ file, config }) => {
  const { learning_rate: rates, mixing } = parseConfig(`read ${file}`, honeybeeSchema, config);
  return worstOf([
    ...rates.map(({ lr, min_lr: minimumLearningRate, warmup: warmupSteps, total, steps, values }) => {
      const settings = { name: 'cosine_from_min_lr', warmupSteps, minimumLearningRate } as const;
      const schedule = createSchedule(settings, { learningRate: lr, steps: total });
      return compareNumbers(steps.map(schedule), values);
    }),
    ...mixing.map(({ sizes, sampling_weights: weights, probabilities }) =>
      compareNumbers(
        normalized(weights === 'uniform' ? sizes.map(() => 1) : weights === 'length_ratio' ? sizes : weights),
        probabilities,
      ),
    ),
  ]);
};

/** Non-negative weights as probabilities. */
function normalized(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function compareNumbers(actual: readonly number[], expected: readonly number[]): ParityResult {
  if (actual.length !== expected.length) return compareExactly(actual.length, expected.length, 'count');
  const largest = Math.max(...expected.map(Math.abs), Number.MIN_VALUE);
  const errors = actual.map((value, index) => Math.abs(value - expected[index]!));
  return {
    forward: errors.some(Number.isNaN) ? Number.NaN : Math.max(0, ...errors) / largest,
    gradient: 0,
    mismatches: [],
  };
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
