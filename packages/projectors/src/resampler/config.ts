import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { commonDefaults, commonFields, positionsHaveLength, size } from '../fields.js';

/** What a configuration of a resampler may leave out. Source: Honeybee's `resampler.yaml`. */
export const resamplerDefaults = {
  ...commonDefaults,
  outputTokens: 64,
  hiddenSize: 1024,
  numHiddenLayers: 6,
  numAttentionHeads: 16,
  intermediateSize: 4096,
  attentionDropout: 0.1,
  layerNormEps: 1e-6,
  queryStart: 'zero',
} as const;

const schema = z
  .strictObject({
    type: z.literal('resampler').default('resampler'),
    ...commonFields,
    /** Tokens an image becomes, end tokens not counted. */
    outputTokens: size.default(resamplerDefaults.outputTokens),
    hiddenSize: size.default(resamplerDefaults.hiddenSize),
    numHiddenLayers: size.default(resamplerDefaults.numHiddenLayers),
    numAttentionHeads: size.default(resamplerDefaults.numAttentionHeads),
    intermediateSize: size.default(resamplerDefaults.intermediateSize),
    /** Share of attention weights dropped in training. */
    attentionDropout: z.number().min(0).lt(1).default(resamplerDefaults.attentionDropout),
    /** Of the norm inside the feed-forward part; the others have 1e-5. */
    layerNormEps: z.number().positive().default(resamplerDefaults.layerNormEps),
    /**
     * How the query tokens start. `zero` is what the official code does: all tokens of a fresh resampler are the same
     * then, and only the language model's positions tell them apart. `normal`, N(0, 0.02²), is the fairer baseline.
     */
    queryStart: z.enum(['zero', 'normal']).default(resamplerDefaults.queryStart),
  })
  .refine(...positionsHaveLength)
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  });

/** Structure of a resampler; plain data. */
export type ResamplerConfig = Readonly<z.output<typeof schema>>;
/** A {@link ResamplerConfig} whose defaults may be left out. */
export type ResamplerConfigInput = Readonly<z.input<typeof schema>>;

/** @throws ConfigError that names every missing, unknown or invalid field */
export function parseResamplerConfig(config: ResamplerConfigInput): ResamplerConfig {
  return parseConfig('parseResamplerConfig', schema, config);
}
