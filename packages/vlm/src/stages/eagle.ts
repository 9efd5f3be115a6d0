import { llavaStage, type StageData, type TrainingStage } from './training-stage.js';

/** Eagle's vision experts. */
export type EagleExpert = 'clip' | 'convnext' | 'sam' | 'eva02' | 'pix2struct';

/** The experts of the published mixtures, in the order of their channels. SAM stands before EVA-02. */
export const eagleMixtures = {
  'eagle-x4': ['clip', 'convnext', 'eva02', 'pix2struct'],
  'eagle-x5': ['clip', 'convnext', 'sam', 'eva02', 'pix2struct'],
} as const satisfies Readonly<Record<string, readonly EagleExpert[]>>;

/**
 * What Eagle's experts start from, by names on the Hugging Face hub.
 *
 * @param convnext which ConvNeXt: `code` (default), the variant tuned on ImageNet-1k that timm takes where, as in the code,
 *   the wanted tag is passed as a switch; `paper`, the one of LAION's training that its table 3 links to. It does not
 *   matter where a checkpoint of Eagle is loaded.
 */
export function eagleStartingWeights({
  convnext = 'code',
}: {
  readonly convnext?: 'code' | 'paper';
} = {}): Readonly<Record<EagleExpert, string>> {
  return {
    clip: 'openai/clip-vit-large-patch14-336',
    convnext: {
      code: 'timm/convnext_xxlarge.clip_laion2b_soup_ft_in1k',
      paper: 'laion/CLIP-convnext_xxlarge-laion2B-s34B-b82K-augreg-soup',
    }[convnext],
    sam: 'facebook/sam-vit-large',
    eva02: 'Yuxin-CV/EVA-02',
    pix2struct: 'google/pix2struct-large',
  };
}

/** What Eagle's sources leave open or disagree on. */
export interface EagleTrainingOptions {
  /** Experts of the mixture, in its order. Default: those of X5. */
  readonly experts?: readonly EagleExpert[] | undefined;
  /**
   * Whether experts train in the joint stage. `frozen` (default): the scripts (`tune_mm_mlp_adapter`), figure 3 and the
   * first version of the paper. `trained`: the text of section 2.5, and the rows of table 7 that say "unlock".
   */
  readonly jointExperts?: 'frozen' | 'trained' | undefined;
  /**
   * Whether CLIP trains wherever the other experts do. `trained` (default): the paper, sections 2.2 and 3.1, and the code
   * of mixtures, which builds every expert with `freeze_vision = False`. `frozen`: the code of a tower that is CLIP alone
   * (`clip_encoder.py`), which never gets gradients, whatever is asked for.
   */
  readonly clip?: 'trained' | 'frozen' | undefined;
  /** Further experts that never train, as in the "frozen" columns of table 5. Default: none. */
  readonly frozenExperts?: readonly EagleExpert[] | undefined;
  /**
   * `eagle-1.8m` (default): the scripts and the paper. `934k`: the ablations of the paper's first version. `cambrian`: 2.5M and
   * 7M samples in batches of 1024.
   */
  readonly data?: 'eagle-1.8m' | '934k' | 'cambrian' | undefined;
  /** Decides the template of the second stage, and with Cambrian's data a learning rate. Default: `vicuna`. */
  readonly language?: 'vicuna' | 'llama-3' | 'yi-34b' | undefined;
  /**
   * Captions of the first stage. `558k` (default): the file that the scripts read, LLaVA-1.5's. `595k`: what the paper
   * and the README say, CC3M's. With Cambrian's data neither.
   */
  readonly captions?: '558k' | '595k' | undefined;
  /** Patterns of a fusion with weights, which are new and train in every stage. Default: none, as it concatenates. */
  readonly fusion?: readonly string[] | undefined;
}

/** Eagle-1.8M (table 1), whose rounded parts sum to 1813k where the paper says 1809k, and its forerunner. */
const tuningData = {
  'eagle-1.8m': { name: 'eagle-1.8m', samples: 1_809_000 },
  '934k': { name: 'eagle-934k', samples: 933_000 },
  cambrian: { name: 'cambrian-7m', samples: 7_000_000 },
} as const satisfies Readonly<Record<string, StageData>>;

const captionData = {
  '558k': { name: 'blip_laion_cc_sbu_558k', samples: 558_128 },
  '595k': { name: 'llava-cc3m-595k', samples: 595_375 },
} as const satisfies Readonly<Record<string, StageData>>;

const templates = { vicuna: 'vicuna_v1', 'llama-3': 'llama3', 'yi-34b': 'chatml_direct' } as const;

/** Neither DeepSpeed file has `gradient_clipping`, so the limit of 1 that the trainer would have is not in force. */
const common = { ...llavaStage, clip: null, maximumLength: 2048 } as const satisfies Partial<TrainingStage>;

/**
 * The two stages of a mixture (Shi et al. 2024, "Eagle", section 3.1; `scripts/pretrain-eagle-*.sh`,
 * `finetune-eagle-*.sh`): joint projector training, then everything. The first cuts images at the centre, the second
 * pads them, as the scripts do.
 *
 * The SAM expert has a new neck, which the first stage neither trains nor, in the published code, saves: the projector is
 * tuned behind another random neck than it was trained behind, unless the experts are pre-aligned. Here the neck is
 * seeded and saved with the model.
 *
 * Cambrian's learning rates are known for Yi-34B; for the other language models they are those of Eagle-1.8M. The official
 * trainer has rates of their own for encoders (`vision_tower_lr`, `vision_tower_layer_decay`), which have no effect beside
 * `mm_projector_lr`; the scripts set none of the three.
 */
export function eagleTrainingStages({
  experts = eagleMixtures['eagle-x5'],
  jointExperts = 'frozen',
  clip = 'trained',
  frozenExperts = [],
  data = 'eagle-1.8m',
  language = 'vicuna',
  captions = '558k',
  fusion = [],
}: EagleTrainingOptions = {}): [joint: TrainingStage, tuning: TrainingStage] {
  const cambrian = data === 'cambrian';
  const never = frozenPatterns(experts, clip === 'frozen' ? [...frozenExperts, 'clip'] : frozenExperts);
  const unlocked = jointExperts === 'trained';
  return [
    {
      ...common,
      name: 'joint-projector',
      trainable: [...(unlocked ? ['vision'] : fusion), 'projector'],
      ...(unlocked && never),
      learningRate: cambrian && language === 'yi-34b' ? 2e-4 : 1e-3,
      batchSize: cambrian ? 1024 : 256,
      data: cambrian ? [{ name: 'cambrian-alignment-2.5m', samples: 2_500_000 }] : [captionData[captions]],
      groupByLength: false,
      template: 'llava_plain',
      images: 'crop',
      source: unlocked ? 'paper, section 2.5 and table 7 ("unlock")' : 'scripts/pretrain-eagle-*.sh; figure 3',
    },
    {
      ...common,
      name: 'supervised-fine-tuning',
      trainable: ['*'],
      ...never,
      learningRate: 2e-5,
      batchSize: cambrian ? 1024 : 128,
      data: [tuningData[data]],
      groupByLength: true,
      template: templates[language],
      images: 'pad',
      source: 'scripts/finetune-eagle-*.sh',
    },
  ];
}

/** What pre-alignment leaves open. */
export interface EaglePreAlignmentOptions {
  /** Captions of the projector's warm-up. Default: `558k`. */
  readonly captions?: '558k' | '595k' | undefined;
}

/**
 * Pre-alignment of one expert (section 2.5): behind a projector of its own it learns the next tokens of a frozen language
 * model. The published text has no settings, and there is no code: these are those of fine-tuning with the language model
 * frozen, for one epoch of the same data, behind a projector that was warmed up alone.
 *
 * The model is one of `preAlignmentConfig`; `assembleExperts` carries its expert into the mixture, and leaves its
 * projector.
 */
export function eaglePreAlignmentStages({
  captions = '558k',
}: EaglePreAlignmentOptions = {}): [warmUp: TrainingStage, alignment: TrainingStage] {
  const [joint, tuning] = eagleTrainingStages({ captions });
  return [
    { ...joint, name: 'projector-warm-up', source: 'this package; the settings of scripts/pretrain-eagle-*.sh' },
    {
      ...tuning,
      name: 'pre-alignment',
      trainable: ['vision', 'projector'],
      source: 'paper, section 2.5; the settings of scripts/finetune-eagle-*.sh',
    },
  ];
}

/**
 * Which experts of a mixture are pre-aligned.
 *
 * @param reading `figure-3` (default): those whose first training had no language, which are SAM, EVA-02 and Pix2Struct.
 *   `table-5`: ConvNeXt too, which has it but gains as well. CLIP is in neither.
 */
export function preAlignedExperts(
  experts: readonly EagleExpert[] = eagleMixtures['eagle-x5'],
  reading: 'figure-3' | 'table-5' = 'figure-3',
): EagleExpert[] {
  const without: readonly EagleExpert[] = reading === 'figure-3' ? ['clip', 'convnext'] : ['clip'];
  return experts.filter((expert) => !without.includes(expert));
}

/** Experts that a mixture does not have need no freezing. */
function frozenPatterns(
  experts: readonly EagleExpert[],
  frozen: readonly EagleExpert[],
): Pick<TrainingStage, 'frozen'> {
  const patterns = experts.flatMap((expert, index) =>
    frozen.includes(expert) ? [`vision.vision_towers.${index}`] : [],
  );
  return patterns.length === 0 ? {} : { frozen: patterns };
}
