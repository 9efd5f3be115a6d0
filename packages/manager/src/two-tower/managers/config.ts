import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

/**
 * How the levels are weighed. Names of the papers, ACL 2023 and TCSVT 2025, and of the code:
 *
 * - `static`: SAE, SAM: learned weights of all levels and of all earlier cross-modal outputs
 * - `static-unimodal`: SAUE, SAUM: learned weights of all levels and of the last cross-modal output
 * - `adaptive-unimodal`: AAUE, AAUM: weights of the levels predicted per token from the last cross-modal outputs
 * - `concat-attention`: predicted per token and feature from each level beside the query
 * - `cross-attention`: attention of the query to the first token of each level
 *
 * Only SAUE and AAUE were released. The others are built from the formulas of the 2025 paper (§III and App. B-D), and
 * have no reference to compare with.
 */
export const managerTypes = [
  'static',
  'static-unimodal',
  'adaptive-unimodal',
  'concat-attention',
  'cross-attention',
] as const;

/** One of {@link managerTypes}. */
export type ManagerType = (typeof managerTypes)[number];

/** Fields of every manager, beside its sizes. */
export const managerFields = {
  type: z.enum(managerTypes).default('adaptive-unimodal'),
  /** Whether a learned weight is one per level and feature, or one per level. */
  weightType: z.enum(['vector', 'scalar']).default('vector'),
  /** First value of what scores are divided by before the softmax. */
  softmaxTemperature: z.number().positive().default(1),
  softmaxTemperatureLearnable: z.boolean().default(true),
  /** Whether learned weights train. */
  learnable: z.boolean().default(true),
  /** What predicted weights depend on: outputs of both modalities, or those of the own one. */
  query: z.enum(['both', 'own']).default('both'),
  /**
   * Whether padding of the other modality is kept out of the query. The published models were trained with padded text
   * tokens taking part: false.
   */
  maskQuery: z.boolean().default(false),
  /**
   * Whether training adds N(0, 1/levels²) to the scores of the levels. The released code does so in static managers
   * too, the 2025 paper (eq. 7) in adaptive ones only.
   */
  explorationNoise: z.boolean().default(true),
  /**
   * Of `static` alone: levels and earlier outputs share one softmax, or each have their own with its temperature, which
   * works better (App. B).
   */
  staticSoftmax: z.enum(['separate', 'joint']).default('separate'),
  layerNormEps: z.number().positive().default(1e-5),
  /** Deviation of the first values of linear layers. */
  initializerRange: z.number().nonnegative().default(0.02),
};

const schema = z.strictObject({
  hiddenSize: size.default(768),
  /** Number of managed layers of the encoder. */
  levels: size.default(6),
  /** Of the cross-modal layer behind the manager, from 0. In front of the first one every manager is a static one. */
  layerIndex: z.int().nonnegative().default(0),
  ...managerFields,
});

/** Structure of a manager; plain data. */
export type ManagerConfig = Readonly<z.output<typeof schema>>;
/** A {@link ManagerConfig} whose fields may be left out: they default to those of the published base model. */
export type ManagerConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every unknown or invalid field */
export function parseManagerConfig(config: ManagerConfigInput): ManagerConfig {
  return parseConfig('parseManagerConfig', schema, config);
}
