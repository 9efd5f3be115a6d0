import type { StageData, TrainingStage } from './training-stage.js';

/** What Honeybee's sources leave open or disagree on. */
export interface HoneybeeTrainingOptions {
  /** Decides the learning rate of the paper's pre-training. Default: `c-abstractor`. */
  readonly projector?: 'c-abstractor' | 'd-abstractor' | undefined;
  /**
   * Learning rate of pre-training. `paper` (default): table 11, 3e-4 of the C-Abstractor and 1e-4 of the D-Abstractor.
   * `code`: `configs/pretrain.yaml`, 1e-4 of all.
   */
  readonly pretrainingLearningRate?: 'paper' | 'code' | undefined;
  /** `long` (default): the final models, 200k and 10k steps. `short`: the ablations and the shipped settings, 50k and 4k. */
  readonly schedule?: 'long' | 'short' | undefined;
}

const captions: readonly StageData[] = [
  { name: 'blip-capfilt', samples: 98_781_949, weight: 0.5 },
  { name: 'coyo-100m', samples: 100_000_000, weight: 0.5 },
];

/** Table 12, as `configs/data_config/ft_default.yaml` has it; the shares sum to 1.003. */
const instructions: readonly StageData[] = [
  { name: 'coyo-100m', weight: 0.077 },
  { name: 'vqav2', weight: 0.103 },
  { name: 'gqa', weight: 0.103 },
  { name: 'ocrvqa', weight: 0.051 },
  { name: 'vsr', weight: 0.026 },
  { name: 'scienceqa', weight: 0.051 },
  { name: 'aokvqa', weight: 0.103 },
  { name: 'refcoco', weight: 0.103 },
  { name: 'refcoco+', weight: 0.103 },
  { name: 'refcocog', weight: 0.103 },
  { name: 'visual-genome', weight: 0.051 },
  { name: 'llava150k', weight: 0.103 },
  { name: 'sharegpt', weight: 0.026 },
];

const common = {
  optimizer: { betas: [0.9, 0.98], epsilon: 1e-6 },
  clip: 1,
  groupByLength: false,
  images: 'squash',
} as const satisfies Partial<TrainingStage>;

/**
 * The two stages of Honeybee (Cha et al. 2024, table 11; `configs/pretrain.yaml`, `finetune.yaml`). The encoder never
 * trains. The warm-up begins at the minimum learning rate.
 */
export function honeybeeTrainingStages({
  projector = 'c-abstractor',
  pretrainingLearningRate = 'paper',
  schedule = 'long',
}: HoneybeeTrainingOptions = {}): [pretraining: TrainingStage, tuning: TrainingStage] {
  const isLong = schedule === 'long';
  return [
    {
      ...common,
      name: 'pre-training',
      trainable: ['projector'],
      learningRate: pretrainingLearningRate === 'paper' && projector === 'c-abstractor' ? 3e-4 : 1e-4,
      schedule: { name: 'cosine_from_min_lr', warmupSteps: 2000, minimumLearningRate: 1e-5 },
      weightDecay: 0.01,
      batchSize: 256,
      duration: { steps: isLong ? 200_000 : 50_000 },
      data: captions,
      template: 'plain',
      maximumLength: 1024,
      source: 'paper, table 11; configs/pretrain.yaml',
    },
    {
      ...common,
      name: 'instruction-tuning',
      trainable: ['projector', 'language'],
      learningRate: 2e-5,
      schedule: { name: 'cosine_from_min_lr', warmupSteps: 150, minimumLearningRate: 1e-6 },
      weightDecay: 1e-4,
      batchSize: 128,
      duration: { steps: isLong ? 10_000 : 4000 },
      data: instructions,
      template: 'honeybee_default',
      maximumLength: 1023,
      source: 'paper, table 11; configs/finetune.yaml',
    },
  ];
}
