import { llavaStage, type StageGroup, type TrainingStage } from './training-stage.js';

/** Which of the four published models, and what its sources leave open. */
export interface LlavaOvManagerTrainingOptions {
  /** Whether there are managers: a `ManagedVisionLanguageModel`, else a `VisionLanguageModel`. Default: true. */
  readonly managers?: boolean | undefined;
  /** Whether images are cut into tiles after the first stage. Default: true. */
  readonly grids?: boolean | undefined;
  /**
   * Learning rates of stages 1.5 and 2. `single` (default): 1e-5 for everything, which is very probably what the
   * published models were trained with, as the optimizer of `zero2_fused_adamw.json` gets all parameters in one group.
   * `declared`: what the scripts ask for, 2e-6 for the vision tower and 5e-5 for the managers.
   */
  readonly learningRates?: 'single' | 'declared' | undefined;
}

const common = { ...llavaStage, clip: 1, batchSize: 512 } as const satisfies Partial<TrainingStage>;

/**
 * The three stages of LLaVA-OV-Manager and of its baselines (Xu et al. 2025, "Manager", appendix C;
 * `scripts/manager/main/*.sh`): alignment, high-quality knowledge, instructions. The row behind the rows of a grid belongs
 * to the language model there, and trains with it.
 */
export function llavaOvManagerTrainingStages({
  managers = true,
  grids = true,
  learningRates = 'single',
}: LlavaOvManagerTrainingOptions = {}): [TrainingStage, TrainingStage, TrainingStage] {
  const groups: StageGroup[] = [
    { parameters: ['vision'], learningRate: 2e-6 },
    ...(managers ? [{ parameters: ['decoder.managers'], learningRate: 5e-5 }] : []),
  ];
  const later = {
    ...common,
    trainable: ['*'],
    learningRate: 1e-5,
    ...(learningRates === 'declared' && { groups }),
    groupByLength: true,
    template: 'qwen_1_5',
    maximumLength: 16_384,
  } as const satisfies Partial<TrainingStage>;
  const source = (stage: string, grid: boolean) =>
    `scripts/manager/main/stage${stage}${managers ? '_manager' : ''}${grid ? '' : '_nogrid'}.sh`;
  return [
    {
      ...common,
      name: 'stage-1',
      trainable: managers ? ['decoder.projector', 'decoder.managers'] : ['projector'],
      learningRate: 1e-3,
      data: [{ name: 'blip_laion_cc_sbu_558k', samples: 558_128 }],
      groupByLength: false,
      template: 'llava_plain',
      images: 'squash',
      maximumLength: 8192,
      source: source('1', true),
    },
    {
      ...later,
      name: 'stage-1.5',
      data: [{ name: 'stage1.5', samples: 4_000_000 }],
      images: grids ? 'anyres' : 'squash',
      source: source('1.5', grids),
    },
    {
      ...later,
      name: 'stage-2',
      data: [{ name: 'stage2', samples: 3_200_000 }],
      images: grids ? 'anyres_max_9' : 'squash',
      source: source('2', grids),
    },
  ];
}
