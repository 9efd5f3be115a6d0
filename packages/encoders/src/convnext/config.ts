import { type ActivationName, activations, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';

const size = z.int().positive();

const schema = z
  .strictObject({
    type: z.literal('convnext').default('convnext'),
    numChannels: size.default(3),
    /** Side of the stem's patches in pixels. Every stage but the first halves the grid once more. */
    patchSize: size.default(4),
    /** Blocks of each stage. */
    depths: z.array(size).min(1).default([3, 3, 9, 3]),
    /** Width of each stage. */
    hiddenSizes: z.array(size).min(1).default([96, 192, 384, 768]),
    /** Side of the depthwise kernels. */
    kernelSize: size.refine((side) => side % 2 === 1, 'must be odd').default(7),
    hiddenAct: z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]).default('gelu'),
    /** ε of every norm. Not `layer_norm_eps` of Hugging Face, which belongs to a pooled norm behind the stages. */
    layerNormEps: z.number().positive().default(1e-6),
    /** First value of the factors on the residual branches; 0 for a tower without them. */
    layerScaleInit: z.number().nonnegative().default(1e-6),
    /** Rate of stochastic depth in the last block; that of the first is 0, and between them it grows evenly. */
    dropPathRate: z.number().nonnegative().lt(1).default(0),
    /** Deviation of the first values of convolutions and linear layers. */
    initializerRange: z.number().nonnegative().default(0.02),
    /** Side in pixels of the images it was trained on; any other size does, without a change. */
    imageSize: size.default(224),
  })
  .refine(({ depths, hiddenSizes }) => depths.length === hiddenSizes.length, {
    path: ['depths'],
    message: 'must have as many stages as hiddenSizes',
  });

/** Structure of a ConvNeXt tower; plain data. Fields are those of Hugging Face's `ConvNextConfig`, and two of timm's. */
export type ConvNextConfig = Readonly<z.output<typeof schema>>;

/** A {@link ConvNextConfig} whose fields may be left out: they default to those of ConvNeXt-T. */
export type ConvNextConfigInput = Readonly<z.input<typeof schema>>;

/**
 * Checks a configuration and fills in its defaults (those of Hugging Face: ConvNeXt-T).
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseConvNextConfig(config: ConvNextConfigInput): ConvNextConfig {
  return parseConfig('parseConvNextConfig', schema, config);
}

const large = { depths: [3, 3, 27, 3], hiddenSizes: [192, 384, 768, 1536] };
const convLlava = { depths: [3, 3, 27, 3, 6], hiddenSizes: [192, 384, 768, 1536, 3072] };
const xxlarge = { depths: [3, 4, 30, 3], hiddenSizes: [384, 768, 1536, 3072], layerNormEps: 1e-5 };

/**
 * Published towers: Liu et al. 2022 ("A ConvNet for the 2020s"), those that LAION trained as CLIP's image side (stochastic
 * depth as in that training), ConvLLaVA's with their fifth stage (Ge et al. 2024), and Eagle's (Shi et al. 2024).
 * Sources: timm `models/convnext.py`; the models' `config.json` and `open_clip_config.json`.
 */
export const convNextConfigs = {
  'convnext-tiny': parseConvNextConfig({}),
  'convnext-small': parseConvNextConfig({ depths: [3, 3, 27, 3] }),
  'convnext-base': parseConvNextConfig({ depths: [3, 3, 27, 3], hiddenSizes: [128, 256, 512, 1024] }),
  'convnext-large': parseConvNextConfig(large),
  'convnext-xlarge': parseConvNextConfig({ depths: [3, 3, 27, 3], hiddenSizes: [256, 512, 1024, 2048] }),
  'clip-convnext-large-d-320': parseConvNextConfig({ ...large, imageSize: 320, dropPathRate: 0.1 }),
  'clip-convnext-xxlarge': parseConvNextConfig({ ...xxlarge, imageSize: 256, dropPathRate: 0.1 }),
  'convllava-convnext-768': parseConvNextConfig({ ...convLlava, imageSize: 768 }),
  'convllava-convnext-1024': parseConvNextConfig({ ...convLlava, imageSize: 1024 }),
  'convllava-convnext-1536': parseConvNextConfig({ ...convLlava, imageSize: 1536 }),
  'eagle-convnext-xxlarge-1024': parseConvNextConfig({ ...xxlarge, imageSize: 1024 }),
} as const satisfies Record<string, ConvNextConfig>;

/** A name under which {@link convNextConfigs} has a tower. */
export type ConvNextName = keyof typeof convNextConfigs;
