import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z
  .strictObject({
    type: z.literal('clip').default('clip'),
    /** Width of the tokens. */
    hiddenSize: size.default(768),
    /** Width inside the feed-forward parts. */
    intermediateSize: size.default(3072),
    numHiddenLayers: size.default(12),
    numAttentionHeads: size.default(12),
    numChannels: size.default(3),
    /** Side of the square images in pixels that the position table is made for. */
    imageSize: size.default(224),
    /** Side of a patch in pixels. */
    patchSize: size.default(32),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('quick_gelu'),
    layerNormEps: z.number().positive().default(1e-5),
    /** Deviation of the first values of patch and position embeddings. */
    initializerRange: z.number().nonnegative().default(0.02),
    /** Factor of all deviations of first values. */
    initializerFactor: z.number().nonnegative().default(1),
  })
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  })
  .refine(({ imageSize, patchSize }) => patchSize <= imageSize, {
    path: ['patchSize'],
    message: 'must not exceed imageSize',
  });

/** Structure of a CLIP vision tower; plain data. Fields are those of Hugging Face's `CLIPVisionConfig`. */
export type ClipVisionConfig = Readonly<z.output<typeof schema>>;

/** A {@link ClipVisionConfig} whose fields may be left out: they default to those of ViT-B/32. */
export type ClipVisionConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: ViT-B/32).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseClipVisionConfig(config: ClipVisionConfigInput): ClipVisionConfig {
  return parseConfig('parseClipVisionConfig', schema, config);
}

/** The published vision towers of OpenAI. Source: their `config.json`. */
export const clipVisionConfigs = {
  'clip-vit-base-patch32': parseClipVisionConfig({}),
  'clip-vit-base-patch16': parseClipVisionConfig({ patchSize: 16 }),
  'clip-vit-large-patch14': parseClipVisionConfig({
    hiddenSize: 1024,
    intermediateSize: 4096,
    numHiddenLayers: 24,
    numAttentionHeads: 16,
    patchSize: 14,
  }),
  'clip-vit-large-patch14-336': parseClipVisionConfig({
    hiddenSize: 1024,
    intermediateSize: 4096,
    numHiddenLayers: 24,
    numAttentionHeads: 16,
    patchSize: 14,
    imageSize: 336,
  }),
} as const satisfies Record<string, ClipVisionConfig>;

/** A name under which {@link clipVisionConfigs} has a tower. */
export type ClipVisionName = keyof typeof clipVisionConfigs;
