import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();
const rate = z.number().min(0).lt(1);

const schema = z
  .strictObject({
    vocabSize: size.default(50265),
    /** Width of the tokens. */
    hiddenSize: size.default(768),
    /** Width inside the feed-forward parts. */
    intermediateSize: size.default(3072),
    numHiddenLayers: size.default(12),
    numAttentionHeads: size.default(12),
    /** Rows of the position table. Texts may be `padTokenId` + 1 shorter than that. */
    maxPositionEmbeddings: size.default(512),
    typeVocabSize: size.default(2),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('gelu'),
    layerNormEps: z.number().positive().default(1e-12),
    /** Token id of padding. Positions are counted from it. */
    padTokenId: z.int().nonnegative().default(1),
    /** Share of values dropped in training, of embeddings and of what is added to the residual stream. */
    hiddenDropoutProb: rate.default(0.1),
    /** Share of attention weights dropped in training. */
    attentionProbsDropoutProb: rate.default(0.1),
    /** Deviation of first values. */
    initializerRange: z.number().nonnegative().default(0.02),
    /** Whether there is a layer that pools a text to one vector. */
    addPoolingLayer: z.boolean().default(true),
  })
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  })
  .refine(({ padTokenId, vocabSize }) => padTokenId < vocabSize, {
    path: ['padTokenId'],
    message: 'must be below vocabSize',
  })
  .refine(({ padTokenId, maxPositionEmbeddings }) => padTokenId + 1 < maxPositionEmbeddings, {
    path: ['maxPositionEmbeddings'],
    message: 'must exceed padTokenId + 1',
  });

/** Structure of RoBERTa; plain data. Fields are those of Hugging Face's `RobertaConfig`. */
export type RobertaConfig = Readonly<z.output<typeof schema>>;

/** A {@link RobertaConfig} whose fields may be left out: they default to those of Hugging Face's class. */
export type RobertaConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face's class, which are not those of the published
 * models: see {@link robertaConfigs}).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseRobertaConfig(config: RobertaConfigInput): RobertaConfig {
  return parseConfig('parseRobertaConfig', schema, config);
}

const published = { maxPositionEmbeddings: 514, typeVocabSize: 1, layerNormEps: 1e-5 } as const;

/** The published models. Source: their `config.json`. */
export const robertaConfigs = {
  'roberta-base': parseRobertaConfig(published),
  'roberta-large': parseRobertaConfig({
    ...published,
    hiddenSize: 1024,
    intermediateSize: 4096,
    numHiddenLayers: 24,
    numAttentionHeads: 16,
  }),
} as const satisfies Record<string, RobertaConfig>;

/** A name under which {@link robertaConfigs} has a model. */
export type RobertaName = keyof typeof robertaConfigs;
