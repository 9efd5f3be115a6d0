import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z
  .strictObject({
    type: z.literal('eva02').default('eva02'),
    /** Width of the tokens. */
    hiddenSize: size.default(1024),
    /** Width inside the gated feed-forward parts. Default: ⌊8/3 · hiddenSize⌋. */
    intermediateSize: size.optional(),
    numHiddenLayers: size.default(24),
    numAttentionHeads: size.default(16),
    numChannels: size.default(3),
    /** Side of the square images in pixels. */
    imageSize: size.default(1024),
    /** Side of a patch in pixels. */
    patchSize: size.default(16),
    /** Side of the attention windows in patches. */
    windowSize: size.default(16),
    /** Blocks, counted from 0, that attend within windows; the others attend globally. Default: all but every third. */
    windowBlockIndexes: z.array(z.int().nonnegative()).readonly().optional(),
    /** Side in pixels of the images that the position table was made for; it is resized bicubically to any other. */
    pretrainImageSize: size.default(224),
    /** Side of the grid whose rotary positions count 0, 1, 2, …; on any other grid they are scaled to its range. */
    rotarySequenceLength: z.number().positive().default(16),
    /** Base of the rotary frequencies. */
    rotaryTheta: z.number().positive().default(10000),
    /** Biases of queries and values; keys never have one. */
    qkvBias: z.boolean().default(true),
    /** A norm between attention and its output projection, as the variants of EVA-CLIP have it. */
    attentionNorm: z.boolean().default(false),
    /** Of the norms of blocks and feed-forward parts; that of `attentionNorm` has 1e-5. */
    layerNormEps: z.number().positive().default(1e-6),
  })
  .transform(({ intermediateSize, windowBlockIndexes, ...config }) => ({
    ...config,
    intermediateSize: intermediateSize ?? Math.trunc((config.hiddenSize * 8) / 3),
    windowBlockIndexes:
      windowBlockIndexes ??
      Array.from({ length: config.numHiddenLayers }, (_, index) => index).filter((index) => index % 3 !== 2),
  }))
  .refine(({ hiddenSize, numAttentionHeads }) => Number.isInteger(hiddenSize / numAttentionHeads / 4), {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize into heads whose width is a multiple of 4',
  })
  .refine(({ windowBlockIndexes, numHiddenLayers }) => windowBlockIndexes.every((index) => index < numHiddenLayers), {
    path: ['windowBlockIndexes'],
    message: 'must be below numHiddenLayers',
  })
  .refine(({ imageSize, pretrainImageSize, patchSize }) => patchSize <= Math.min(imageSize, pretrainImageSize), {
    path: ['patchSize'],
    message: 'must not exceed imageSize and pretrainImageSize',
  });

/** Structure of an EVA-02 vision encoder; plain data. */
export type Eva02VisionConfig = Readonly<z.output<typeof schema>>;

/** An {@link Eva02VisionConfig} whose fields may be left out: they default to those of EVA-02-L for detection. */
export type Eva02VisionConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults: EVA-02-L, pre-trained for detection on COCO and Objects365.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseEva02VisionConfig(config: Eva02VisionConfigInput): Eva02VisionConfig {
  return parseConfig('parseEva02VisionConfig', schema, config);
}

/** The published encoders that the recipes use. Source: `build_eva_vit` of Eagle. */
export const eva02VisionConfigs = {
  'eva02-large-det': parseEva02VisionConfig({}),
} as const satisfies Record<string, Eva02VisionConfig>;

/** A name under which {@link eva02VisionConfigs} has an encoder. */
export type Eva02VisionName = keyof typeof eva02VisionConfigs;
