import type { TemplateName } from '@ocelli/data';

/** Parameters with a peak learning rate of their own; the first group that names a parameter decides. */
export interface StageGroup {
  readonly parameters: readonly string[];
  readonly learningRate: number;
}

/** A learning-rate schedule, as `@ocelli/trainer` names them. */
export type StageSchedule =
  | { readonly name: 'cosine'; readonly warmupRatio: number }
  | { readonly name: 'cosine_with_min_lr'; readonly minimumLearningRate: number }
  | { readonly name: 'cosine_from_min_lr'; readonly warmupSteps: number; readonly minimumLearningRate: number };

/** A part of a stage's data. */
export interface StageData {
  readonly name: string;
  /** Conversations, as far as they were published, rounded as there. */
  readonly samples?: number | undefined;
  /** Share of the samples of a batch, where they are drawn and not taken in turn. */
  readonly weight?: number | undefined;
}

/** How images become squares: padded with the mean colour, cut at the centre, squeezed, or cut into tiles. */
export type StageImages = 'pad' | 'crop' | 'squash' | 'anyres' | 'anyres_max_9';

/** One stage of a published training, as plain data. Names of parameters are those of the model of this package. */
export interface TrainingStage {
  readonly name: string;
  /** Patterns of the parameters that train, see `namePattern`; all others are frozen. */
  readonly trainable: readonly string[];
  /** Patterns of parameters that stay frozen although `trainable` names them. */
  readonly frozen?: readonly string[] | undefined;
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Parameters with another one. Default: none. */
  readonly groups?: readonly StageGroup[] | undefined;
  readonly schedule: StageSchedule;
  readonly weightDecay: number;
  readonly optimizer: { readonly betas: readonly [number, number]; readonly epsilon: number };
  /** Largest norm of all gradients together; null for no limit. */
  readonly clip: number | null;
  /** Sequences of an optimizer step, over all devices. */
  readonly batchSize: number;
  /** How long it lasts: passes over the data, or optimizer steps. */
  readonly duration: { readonly epochs: number } | { readonly steps: number };
  readonly data: readonly StageData[];
  /** Whether the sequences of a step are of like length, all with images or all without. */
  readonly groupByLength: boolean;
  readonly template: TemplateName;
  readonly images: StageImages;
  /** Longest sequence in tokens, visual ones included. */
  readonly maximumLength: number;
  /** Of MoAI alone: which experts are mixed. */
  readonly mode?: 'step1' | 'step2' | undefined;
  /** Paper or code that says so. */
  readonly source: string;
}

/** AdamW as PyTorch and the transformers trainer have it. */
export const usualAdamW = { betas: [0.9, 0.999], epsilon: 1e-8 } as const;

/** What the stages of LLaVA's descendants have in common: one epoch, cosine to zero after a warm-up of 3 % of the steps. */
export const llavaStage = {
  schedule: { name: 'cosine', warmupRatio: 0.03 },
  weightDecay: 0,
  optimizer: usualAdamW,
  duration: { epochs: 1 },
} as const satisfies Partial<TrainingStage>;
