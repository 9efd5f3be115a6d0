import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z.strictObject({
  type: z.literal('pix2struct').default('pix2struct'),
  /** Width of the tokens. */
  hiddenSize: size.default(768),
  /** Numbers in a flattened patch, without the row and the column in front. */
  patchEmbedHiddenSize: size.default(768),
  /** Width inside the gated feed-forward parts. */
  intermediateSize: size.default(2048),
  numHiddenLayers: size.default(12),
  numAttentionHeads: size.default(12),
  /** Width of a head; heads together need not be as wide as the tokens. */
  headDim: size.default(64),
  /** Rows of the table of row embeddings, and of that of column embeddings. */
  sequenceLength: size.default(4096),
  /** Side of a patch in pixels; decides {@link Pix2StructVisionEncoder.featureGrid} only. */
  patchSize: size.default(16),
  /** Patches an image is cut into at most; decides {@link Pix2StructVisionEncoder.featureGrid} only. */
  maxPatches: size.default(2048),
  hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('gelu_new'),
  layerNormEps: z.number().positive().default(1e-6),
  /** Deviation of the first values of weights. */
  initializerRange: z.number().nonnegative().default(0.02),
  /** Factor of the deviation of row and column embeddings, 1 / √hiddenSize, and first value of the norms. */
  initializerFactor: z.number().nonnegative().default(1),
});

/** Structure of a Pix2Struct vision encoder; plain data. Most fields are those of Hugging Face's `Pix2StructVisionConfig`. */
export type Pix2StructVisionConfig = Readonly<z.output<typeof schema>>;

/** A {@link Pix2StructVisionConfig} whose fields may be left out: they default to those of Pix2Struct-base. */
export type Pix2StructVisionConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: Pix2Struct-base).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parsePix2StructVisionConfig(config: Pix2StructVisionConfigInput): Pix2StructVisionConfig {
  return parseConfig('parsePix2StructVisionConfig', schema, config);
}

/** The published encoders. Source: their `config.json`. */
export const pix2structVisionConfigs = {
  'pix2struct-base': parsePix2StructVisionConfig({}),
  'pix2struct-large': parsePix2StructVisionConfig({
    hiddenSize: 1536,
    intermediateSize: 3968,
    numHiddenLayers: 18,
    numAttentionHeads: 24,
  }),
} as const satisfies Record<string, Pix2StructVisionConfig>;

/** A name under which {@link pix2structVisionConfigs} has an encoder. */
export type Pix2StructVisionName = keyof typeof pix2structVisionConfigs;
