import { z } from 'zod';
import { adamWConfigSchema } from '../optimizers/adamw.js';
import { groupConfigSchema } from '../optimizers/parameter-groups.js';
import { scheduleConfigSchema } from '../schedules/schedule.js';

/** One stage of a training run as data. */
export const stageConfigSchema = z.strictObject({
  name: z.string().min(1),
  /** Patterns of the parameters that train; all others are frozen. `*` for all. */
  trainable: z.array(z.string()).min(1),
  /** Patterns of parameters that stay frozen although `trainable` names them. */
  frozen: z.array(z.string()).min(1).optional(),
  /** Peak learning rate. */
  learningRate: z.number().positive(),
  /** Parameters with a learning rate or weight decay of their own. */
  groups: z.array(groupConfigSchema).default([]),
  schedule: scheduleConfigSchema.default({ name: 'constant' }),
  /** Optimizer steps. */
  steps: z.int().positive(),
  /** Samples of a batch; for the caller's batches. */
  batchSize: z.int().positive().optional(),
  /** Batches whose gradients are averaged for one step. */
  accumulation: z.int().positive().default(1),
  /** Largest norm of all gradients together; null for no limit. */
  clip: z.number().positive().nullable().default(1),
  weightDecay: z.number().nonnegative().default(0),
  /** Patterns of parameters that do not decay. Default: biases and norms. */
  noDecay: z.array(z.string()).optional(),
  optimizer: adamWConfigSchema.prefault({}),
  /** What is computed in. */
  precision: z.literal('float32').default('float32'),
});

/** A training run as data: with the model and the batches, all that decides its numbers. */
export const trainConfigSchema = z.strictObject({
  /** Root of all random numbers of the run. */
  seed: z.int().default(0),
  stages: z
    .array(stageConfigSchema)
    .min(1)
    .refine((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, {
      message: 'stages need different names',
    }),
});

/** What `train` takes; defaults may be left out. */
export type TrainConfig = z.input<typeof trainConfigSchema>;

/** A stage with every default filled in. */
export type Stage = Readonly<z.output<typeof stageConfigSchema>>;
