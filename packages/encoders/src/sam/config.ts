import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z
  .strictObject({
    type: z.literal('sam').default('sam'),
    /** Width of the tokens. */
    hiddenSize: size.default(768),
    /** Width inside the feed-forward parts. Default: four times hiddenSize. */
    intermediateSize: size.optional(),
    numHiddenLayers: size.default(12),
    numAttentionHeads: size.default(12),
    numChannels: size.default(3),
    /** Side of the square images in pixels. */
    imageSize: size.default(1024),
    /** Side of a patch in pixels. */
    patchSize: size.default(16),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('gelu'),
    /** Of the norms of the blocks; those of the neck have 1e-6. */
    layerNormEps: z.number().positive().default(1e-6),
    qkvBias: z.boolean().default(true),
    /** A learned position for every patch. */
    useAbsolutePositions: z.boolean().default(true),
    /** Learned offsets between rows and between columns in the attention scores. */
    useRelativePositions: z.boolean().default(true),
    /** Side of the attention windows in patches. */
    windowSize: size.default(14),
    /** Blocks, counted from 0, that attend globally; the others attend within windows. */
    globalAttentionIndexes: z.array(z.int().nonnegative()).readonly().default([2, 5, 8, 11]),
    /** Channels behind the neck. */
    outputChannels: size.default(256),
    /**
     * What follows the blocks: `full` is SAM's own (1 × 1 convolution, norm, 3 × 3 convolution, norm), `short` its first
     * half, which Eagle puts in its place and starts anew.
     */
    neck: z.enum(['full', 'short']).default('full'),
    /** Squares of so many cells a side become one cell of as many times the channels. Eagle: 2. */
    pixelUnshuffle: size.default(1),
    /** Deviation of the first values of weights. */
    initializerRange: z.number().nonnegative().default(0.02),
  })
  .transform(({ intermediateSize, ...config }) => ({
    ...config,
    intermediateSize: intermediateSize ?? 4 * config.hiddenSize,
  }))
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  })
  .refine(
    ({ globalAttentionIndexes, numHiddenLayers }) => globalAttentionIndexes.every((index) => index < numHiddenLayers),
    { path: ['globalAttentionIndexes'], message: 'must be below numHiddenLayers' },
  )
  .refine(({ imageSize, patchSize }) => patchSize <= imageSize, {
    path: ['patchSize'],
    message: 'must not exceed imageSize',
  })
  .refine(({ imageSize, patchSize, pixelUnshuffle }) => Math.floor(imageSize / patchSize) % pixelUnshuffle === 0, {
    path: ['pixelUnshuffle'],
    message: 'must divide the grid of patches',
  });

/** Structure of a SAM vision encoder; plain data. Most fields are those of Hugging Face's `SamVisionConfig`. */
export type SamVisionConfig = Readonly<z.output<typeof schema>>;

/** A {@link SamVisionConfig} whose fields may be left out: they default to those of SAM ViT-B. */
export type SamVisionConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: SAM ViT-B).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseSamVisionConfig(config: SamVisionConfigInput): SamVisionConfig {
  return parseConfig('parseSamVisionConfig', schema, config);
}

const large = {
  hiddenSize: 1024,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  globalAttentionIndexes: [5, 11, 17, 23],
} as const;

/** The published encoders. Source: their `config.json`; that of Eagle: `sam_encoder.py`. */
export const samVisionConfigs = {
  'sam-vit-base': parseSamVisionConfig({}),
  'sam-vit-large': parseSamVisionConfig(large),
  'sam-vit-huge': parseSamVisionConfig({
    hiddenSize: 1280,
    numHiddenLayers: 32,
    numAttentionHeads: 16,
    globalAttentionIndexes: [7, 15, 23, 31],
  }),
  'eagle-sam-vit-large': parseSamVisionConfig({ ...large, neck: 'short', pixelUnshuffle: 2 }),
} as const satisfies Record<string, SamVisionConfig>;

/** A name under which {@link samVisionConfigs} has an encoder. */
export type SamVisionName = keyof typeof samVisionConfigs;
