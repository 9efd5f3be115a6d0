import { parseConfig } from '@ocelli/core-tensor';
import type { ClipVisionConfigInput, RobertaConfigInput } from '@ocelli/encoders';
import type { BridgeFusionConfigInput, ManagerFusionConfigInput, MeterFusionConfigInput } from '@ocelli/manager';
import { z } from 'zod';

const size = z.int().positive();

const classifier = {
  /** Linear layers of the head (`task_head_layers`); with 1, nothing is between what is pooled and the classes. */
  layers: z.union([z.literal(1), z.literal(2)]).default(2),
  /** Width between the two layers of the head as a multiple of what is pooled. */
  hiddenScale: z.number().positive().default(1),
};

/** The parts check their own configurations. */
const part = z.looseObject({});

const headsSchema = z
  .strictObject({
    /** Predicts masked tokens. */
    maskedLanguageModel: z.strictObject({}).optional(),
    /** Tells whether text and image belong together. */
    imageTextMatching: z.strictObject({}).optional(),
    /** Features of each modality, for retrieval. */
    imageTextContrast: z
      .strictObject({
        outputs: size.default(256),
        /** First value of what similarities are divided by. */
        temperature: z.number().positive().default(0.07),
      })
      .optional(),
    /** Answers of VQAv2. */
    visualQuestionAnswering: z
      .strictObject({ ...classifier, hiddenScale: z.number().positive().default(2), classes: size.default(3129) })
      .optional(),
    /** SNLI-VE: contradiction, neutral, entailment. */
    visualEntailment: z
      .strictObject({ ...classifier, hiddenScale: z.number().positive().default(2), classes: size.default(3) })
      .optional(),
    /** NLVR²: whether a sentence is true of two images. */
    visualReasoning: z.strictObject({ ...classifier, dropout: z.number().min(0).lt(1).default(0) }).optional(),
    /** Ranks texts and images for retrieval without contrastive features (METER's `irtr`). */
    ranking: z.strictObject({}).optional(),
  })
  .prefault({});

/** Which heads a model has, and their sizes. Defaults are those of the official fine-tuning scripts. */
export type TwoTowerHeads = Readonly<z.output<typeof headsSchema>>;
/** {@link TwoTowerHeads} whose sizes may be left out. */
export type TwoTowerHeadsInput = Readonly<z.input<typeof headsSchema>>;

/** Structure of a two-tower model; plain data. */
export interface TwoTowerConfig {
  /** Default: roberta-base. */
  readonly text?: RobertaConfigInput;
  /** Default: CLIP's ViT-B/16 for images of 288 pixels. */
  readonly vision?: ClipVisionConfigInput;
  /**
   * `type` tells managers (`manager`, the default) from bridges (`bridge`) and last layers alone (`meter`). The numbers
   * of the towers' layers are filled in from the towers.
   */
  readonly fusion?:
    | (ManagerFusionConfigInput & { readonly type?: 'manager' })
    | (BridgeFusionConfigInput & { readonly type: 'bridge' })
    | (MeterFusionConfigInput & { readonly type: 'meter' });
  /**
   * What the layers of the vision encoder pass before they are projected. `shared`: all of them the encoder's own final
   * norm, as the published models. `separate`: each a norm of its own (`vit_layernorm_shared` false), which no published
   * model has. The released code cannot start these from the final norm, as it names an attribute that does not exist;
   * `adaptTwoTower` does. Default: `shared`.
   */
  readonly visionNorms?: 'shared' | 'separate';
  /** Default: none. */
  readonly heads?: TwoTowerHeadsInput;
}

const schema = z.strictObject({
  text: part.prefault({ maxPositionEmbeddings: 514, typeVocabSize: 1, layerNormEps: 1e-5 }),
  vision: part
    .refine(
      ({ type = 'clip' }) => type === 'clip',
      'must be a CLIP tower, whose class token is pooled; ManagedVisionLanguageModel has managers over any encoder',
    )
    .prefault({ patchSize: 16, imageSize: 288 }),
  fusion: part.prefault({}),
  visionNorms: z.enum(['shared', 'separate']).default('shared'),
  heads: headsSchema,
});

/**
 * Checks what is around the parts' configurations, and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseTwoTowerConfig(config: TwoTowerConfig): {
  readonly text: RobertaConfigInput;
  readonly vision: ClipVisionConfigInput;
  readonly fusion: NonNullable<TwoTowerConfig['fusion']>;
  readonly visionNorms: 'shared' | 'separate';
  readonly heads: TwoTowerHeads;
} {
  return parseConfig('TwoTowerModel', schema, config);
}
