import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();
const factor = z.number().min(1);

const ropeScaling = z.discriminatedUnion('type', [
  /** All angles divided by the factor (position interpolation). */
  z.strictObject({ type: z.literal('linear'), factor }),
  /** A base that grows with the length of the sequence beyond `maxPositionEmbeddings` ("NTK-aware"). */
  z.strictObject({ type: z.literal('dynamic'), factor }),
  /** LLaMA 3.1: long wavelengths divided by the factor, short ones kept, a ramp between. */
  z.strictObject({
    type: z.literal('llama3'),
    factor,
    lowFreqFactor: z.number().positive(),
    highFreqFactor: z.number().positive(),
    originalMaxPositionEmbeddings: size,
  }),
  /** YaRN (Peng et al. 2023). */
  z.strictObject({
    type: z.literal('yarn'),
    factor,
    betaFast: z.number().positive().default(32),
    betaSlow: z.number().positive().default(1),
    /** Factor of cosines and sines. Default: 0.1·ln(factor) + 1. */
    attentionFactor: z.number().positive().optional(),
  }),
]);

const schema = z
  .strictObject({
    vocabSize: size.default(32000),
    /** Width of the tokens. */
    hiddenSize: size.default(4096),
    /** Width inside the feed-forward parts. */
    intermediateSize: size.default(11008),
    numHiddenLayers: size.default(32),
    numAttentionHeads: size.default(32),
    /** Heads of keys and values, shared by equal groups of query heads. Default: as many as query heads. */
    numKeyValueHeads: size.optional(),
    /** Width of a head. Default: hiddenSize / numAttentionHeads. */
    headDim: size.multipleOf(2).optional(),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('silu'),
    /** Positions the model was trained for; only some kinds of `ropeScaling` look at it. */
    maxPositionEmbeddings: size.default(2048),
    rmsNormEps: z.number().positive().default(1e-6),
    ropeTheta: z.number().positive().default(10000),
    ropeScaling: ropeScaling.nullable().default(null),
    /** Biases of the query, key and value projections. */
    attentionBias: z.boolean().default(false),
    /** Bias of the attention's output projection. Default: `attentionBias`. Qwen2 has only the others. */
    attentionOutputBias: z.boolean().optional(),
    /** Biases in the feed-forward parts. */
    mlpBias: z.boolean().default(false),
    /** The output projection is the token table. */
    tieWordEmbeddings: z.boolean().default(false),
    /** This row of the token table gets no gradient from look-ups. */
    padTokenId: z.int().nonnegative().nullable().default(null),
    /** Deviation of the first values of all weights. */
    initializerRange: z.number().nonnegative().default(0.02),
  })
  .transform((config) => ({
    ...config,
    numKeyValueHeads: config.numKeyValueHeads ?? config.numAttentionHeads,
    headDim: config.headDim ?? config.hiddenSize / config.numAttentionHeads,
    attentionOutputBias: config.attentionOutputBias ?? config.attentionBias,
  }))
  .refine(({ numAttentionHeads, numKeyValueHeads }) => numAttentionHeads % numKeyValueHeads === 0, {
    path: ['numKeyValueHeads'],
    message: 'must divide numAttentionHeads',
  })
  .refine(({ headDim }) => Number.isInteger(headDim / 2), {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize into heads of even width, unless headDim is given',
  })
  .refine(({ padTokenId, vocabSize }) => padTokenId === null || padTokenId < vocabSize, {
    path: ['padTokenId'],
    message: 'must be below vocabSize',
  });

/** How rotary positions are stretched beyond the trained length. */
export type RopeScaling = Readonly<z.output<typeof ropeScaling>>;

/** Structure of a LLaMA-like decoder; plain data. Fields are those of Hugging Face's `LlamaConfig`. */
export type LlamaConfig = Readonly<z.output<typeof schema>>;

/** A {@link LlamaConfig} whose fields may be left out: they default to those of LLaMA-7B. */
export type LlamaConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: LLaMA-7B).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseLlamaConfig(config: LlamaConfigInput): LlamaConfig {
  return parseConfig('parseLlamaConfig', schema, config);
}
