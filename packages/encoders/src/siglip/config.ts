import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z
  .strictObject({
    type: z.literal('siglip').default('siglip'),
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
    patchSize: size.default(16),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('gelu_pytorch_tanh'),
    layerNormEps: z.number().positive().default(1e-6),
    /** Whether there is a head that pools the tokens by attention. */
    visionUseHead: z.boolean().default(true),
  })
  .refine(({ hiddenSize, numAttentionHeads }) => hiddenSize % numAttentionHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must divide hiddenSize',
  })
  .refine(({ imageSize, patchSize }) => patchSize <= imageSize, {
    path: ['patchSize'],
    message: 'must not exceed imageSize',
  });

/** Structure of a SigLIP vision tower; plain data. Fields are those of Hugging Face's `SiglipVisionConfig`. */
export type SiglipVisionConfig = Readonly<z.output<typeof schema>>;

/** A {@link SiglipVisionConfig} whose fields may be left out: they default to those of base-patch16-224. */
export type SiglipVisionConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: base-patch16-224).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseSiglipVisionConfig(config: SiglipVisionConfigInput): SiglipVisionConfig {
  return parseConfig('parseSiglipVisionConfig', schema, config);
}

const large = { hiddenSize: 1024, intermediateSize: 4096, numHiddenLayers: 24, numAttentionHeads: 16 } as const;
const so400m = { hiddenSize: 1152, intermediateSize: 4304, numHiddenLayers: 27, numAttentionHeads: 16 } as const;

/** The published vision towers. Source: their `config.json`. */
export const siglipVisionConfigs = {
  'siglip-base-patch16-224': parseSiglipVisionConfig({}),
  'siglip-base-patch16-384': parseSiglipVisionConfig({ imageSize: 384 }),
  'siglip-large-patch16-256': parseSiglipVisionConfig({ ...large, imageSize: 256 }),
  'siglip-large-patch16-384': parseSiglipVisionConfig({ ...large, imageSize: 384 }),
  'siglip-so400m-patch14-224': parseSiglipVisionConfig({ ...so400m, patchSize: 14, imageSize: 224 }),
  'siglip-so400m-patch14-384': parseSiglipVisionConfig({ ...so400m, patchSize: 14, imageSize: 384 }),
} as const satisfies Record<string, SiglipVisionConfig>;

/** A name under which {@link siglipVisionConfigs} has a tower. */
export type SiglipVisionName = keyof typeof siglipVisionConfigs;
