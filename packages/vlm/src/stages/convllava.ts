import { type ConvNextConfig, convNextConfigs, convNextStagesFrom, type TrainedFrom } from '@ocelli/encoders';
import { llavaStage, type StageData, type TrainingStage } from './training-stage.js';

/** The experiments of the paper, by the tables that describe their training. */
export type ConvLlavaProtocol =
  /** The final models: table 15. */
  | 'final'
  /** What the fifth stage is worth: table 14. */
  | 'fifth-stage'
  /** Frozen encoders of four stages: table 12. */
  | 'frozen'
  /** Updated encoders of four stages, with 1.2M captions: table 13. */
  | 'updated'
  /** The same with more captions: table 8, whose first stage is not described and taken from table 13. */
  | 'more-captions';

/** What ConvLLaVA's sources leave open or disagree on. */
export interface ConvLlavaTrainingOptions {
  /** Default: `final`. */
  readonly protocol?: ConvLlavaProtocol | undefined;
  /**
   * Learning rate of vision-language pre-training. `paper` (default): 2e-5, in its text, tables 13 to 15 and the README.
   * `script`: 1e-3 of `scripts/stage_2.sh`, a leftover as it seems.
   */
  readonly pretrainingLearningRate?: 'paper' | 'script' | undefined;
  /**
   * Whether the language model's head trains in the first stage. `false` (default): the paper names the fifth stage and the
   * projector. `true`: the code, whose `freeze_backbone` freezes the inner model alone. Only with a fifth stage: the
   * others' first stage is LLaVA's, which freezes the head.
   */
  readonly trainLmHead?: boolean | undefined;
  /**
   * Where the encoder begins to train in vision-language pre-training; `null`: everything, stem included
   * (`tune_entire_model`). Default: the published one, which is the third stage of a tower with five, and block 12 of the
   * third stage of one with four ("the last 18 blocks", which the official command line cannot express).
   */
  readonly trainFrom?: TrainedFrom | null | undefined;
  /**
   * Largest norm of the gradients. `null` (default): the code, whose DeepSpeed files have no `gradient_clipping`, so that
   * the trainer's limit of 1 is not in force.
   */
  readonly clip?: number | null | undefined;
}

/** Captions and questions, with the numbers of records of the data sets' cards. */
const data = {
  sharegpt4vPretrain: { name: 'sharegpt4v-pretrain', samples: 1_246_000 },
  sharegpt4v100k: { name: 'sharegpt4v-100k', samples: 100_000 },
  allavaLaionCaption: { name: 'allava-laion-caption', samples: 468_670 },
  allavaVflanCaption: { name: 'allava-vflan-caption', samples: 194_977 },
  allavaLaionInstruct: { name: 'allava-laion-instruct', samples: 468_670 },
  allavaVflanInstruct: { name: 'allava-vflan-instruct', samples: 194_254 },
  vflan: { name: 'vflan', samples: 190_000 },
  captions: { name: 'blip_laion_cc_sbu_558k', samples: 558_128 },
  tuning: { name: 'llava_v1_5_mix665k', samples: 665_000 },
} as const satisfies Readonly<Record<string, StageData>>;

const finalCaptions = [data.sharegpt4vPretrain, data.sharegpt4v100k, data.allavaLaionCaption, data.allavaVflanCaption];

/** That ALLaVA's questions are there follows from the sum, 2.9M. */
const finalPretraining = [...finalCaptions, data.allavaLaionInstruct, data.allavaVflanInstruct, data.vflan];

/**
 * Protocols by their first stage, the captions of both stages, and where the encoder begins to train in the second one,
 * which frozen encoders do not have.
 */
const protocols = {
  final: { addsStage: true, captions: finalCaptions, pretraining: finalPretraining, source: 'table 15' },
  'fifth-stage': {
    addsStage: true,
    captions: [data.sharegpt4vPretrain],
    pretraining: [data.sharegpt4vPretrain],
    source: 'table 14',
  },
  frozen: { addsStage: false, captions: [data.captions], pretraining: undefined, source: 'table 12' },
  updated: {
    addsStage: false,
    captions: [data.captions],
    pretraining: [data.sharegpt4vPretrain],
    source: 'table 13',
  },
  'more-captions': {
    addsStage: false,
    captions: [data.captions],
    pretraining: [data.sharegpt4vPretrain, data.allavaLaionCaption, data.allavaVflanCaption],
    source: 'tables 8 and 13',
  },
} as const satisfies Readonly<Record<ConvLlavaProtocol, object>>;

const learningRates = { paper: 2e-5, script: 1e-3 } as const;

/** One learning rate for all parts: `vision_tower_lr` of the official trainer works with `mm_projector_lr` alone. */
const common = {
  ...llavaStage,
  groupByLength: true,
  // Captions too, with their own questions; LLaVA-1.5 has `plain` there.
  template: 'vicuna_v1',
  images: 'pad',
  maximumLength: 2048,
} as const satisfies Partial<TrainingStage>;

/**
 * The stages of ConvLLaVA (Ge et al. 2024, "ConvLLaVA: Hierarchical Backbones as Visual Encoder for Large Multimodal
 * Models", sections 3 and 4.1; `scripts/stage_1.sh` to `stage_3.sh`): projector initialisation, vision-language
 * pre-training that updates the upper stages of the encoder, and instruction tuning behind a frozen encoder. The released
 * configuration says `tune_vision_tower` of the last one too; a single encoder for both checkpoints shows that it stayed
 * as it was.
 *
 * No weights decay. With a decay, the official code would also decay the norms of the encoder, which are no
 * `nn.LayerNorm`, and its layer scales; the trainer of this project decays the layer scales alone.
 *
 * @param encoder the tower as it is trained: of five stages where the protocol adds the fifth, else of four
 * @throws ConfigError if the tower has no such stage or block
 */
export function convLlavaTrainingStages(
  encoder: ConvNextConfig = convNextConfigs['convllava-convnext-768'],
  {
    protocol = 'final',
    pretrainingLearningRate = 'paper',
    trainLmHead = false,
    trainFrom,
    clip = null,
  }: ConvLlavaTrainingOptions = {},
): TrainingStage[] {
  const { addsStage, captions, pretraining, source } = protocols[protocol];
  const last = encoder.depths.length - 1;
  const initialisation: TrainingStage = {
    ...common,
    clip,
    name: 'projector-initialisation',
    trainable: [
      ...(addsStage ? inVision(encoder, { stage: last }) : []),
      'projector',
      ...(addsStage && trainLmHead ? ['language.lm_head'] : []),
    ],
    learningRate: addsStage ? 3e-4 : 1e-3,
    batchSize: 256,
    data: captions,
    source: `paper, ${source}${addsStage ? '; scripts/stage_1.sh' : ''}`,
  };
  const tuning: TrainingStage = {
    ...common,
    clip,
    name: 'instruction-tuning',
    trainable: ['projector', 'language'],
    learningRate: 2e-5,
    batchSize: 128,
    data: [data.tuning],
    source: `paper, ${source}; scripts/stage_3.sh`,
  };
  if (pretraining === undefined) return [initialisation, tuning];
  const from = trainFrom === undefined ? publishedStart(encoder, addsStage) : trainFrom;
  const updating: TrainingStage = {
    ...common,
    clip,
    name: 'vision-language-pretraining',
    trainable: [...(from === null ? ['vision'] : inVision(encoder, from)), 'projector', 'language'],
    learningRate: learningRates[pretrainingLearningRate],
    batchSize: 256,
    data: pretraining,
    source: `paper, ${source}; scripts/stage_2.sh`,
  };
  return [initialisation, updating, tuning];
}

/** Of a tower with four stages the last 18 blocks, as many as the published one has; of a smaller one its upper stages. */
function publishedStart({ depths }: ConvNextConfig, addsStage: boolean): TrainedFrom {
  if (addsStage) return { stage: Math.max(0, depths.length - 3) };
  const stage = Math.max(0, depths.length - 2);
  return { stage, block: Math.max(0, depths[stage]! + (depths[stage + 1] ?? 0) - 18) };
}

function inVision(encoder: ConvNextConfig, from: TrainedFrom): string[] {
  return convNextStagesFrom(encoder, from).map((pattern) => `vision.${pattern}`);
}
