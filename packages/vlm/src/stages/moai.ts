import { moaiTrainingPhases } from '@ocelli/moai-mixer';
import { type TrainingStage, usualAdamW } from './training-stage.js';

const [first, second] = moaiTrainingPhases;

/** What MoAI's sources leave open. */
export interface MoaiTrainingOptions {
  /** Default: 6, one sample on each of the devices that are reported; how many steps were accumulated is not known. */
  readonly batchSize?: number | undefined;
  /** Largest norm of the gradients. Default: 10, `GRAD_MAX` of the configurations; whether it was used is not known. */
  readonly clip?: number | null | undefined;
}

/**
 * The two steps of MoAI (Lee et al. 2024, section 3) as stages: `moaiTrainingPhases` of `@ocelli/moai-mixer`, by the names
 * of a `MoaiModel`. A pass of the model has to be told the stage's `mode`.
 */
export function moaiTrainingStages({
  batchSize = 6,
  clip = 10,
}: MoaiTrainingOptions = {}): [TrainingStage, TrainingStage] {
  const common = {
    trainable: ['*moai*'],
    optimizer: usualAdamW,
    clip,
    batchSize,
    data: [{ name: 'sharegpt4v_mix665k', samples: 665_000 }],
    groupByLength: false,
    template: 'internlm2',
    images: 'squash',
    maximumLength: 4096,
  } as const satisfies Partial<TrainingStage>;
  const numbers = ({ mode, peakLearningRate, finalLearningRate, weightDecay, epochs }: typeof first) =>
    ({
      mode,
      learningRate: peakLearningRate,
      schedule: { name: 'cosine_with_min_lr', minimumLearningRate: finalLearningRate },
      weightDecay,
      duration: { epochs },
    }) as const satisfies Partial<TrainingStage>;
  return [
    {
      ...common,
      ...numbers(first),
      name: 'step1',
      frozen: ['*moai_GA_*'],
      source: 'moai/load_moai.py; the learning rate is reported, not published',
    },
    { ...common, ...numbers(second), name: 'step2', source: 'moai/load_moai.py; configs/moai_eval.yaml' },
  ];
}
