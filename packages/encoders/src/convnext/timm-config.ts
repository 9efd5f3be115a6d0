import { type ActivationName, ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type ConvNextConfig, type ConvNextConfigInput, convNextConfigs, parseConvNextConfig } from './config.js';

const small = (depth: number, width: number): ConvNextConfig =>
  parseConvNextConfig({ depths: [2, 2, depth, 2], hiddenSizes: [width, 2 * width, 4 * width, 8 * width] });

/** timm's names, without a tag. Source: timm `models/convnext.py`. */
const architectures: Readonly<Record<string, ConvNextConfig>> = {
  convnext_atto: small(6, 40),
  convnext_femto: small(6, 48),
  convnext_pico: small(6, 64),
  convnext_nano: small(8, 80),
  convnext_tiny: convNextConfigs['convnext-tiny'],
  convnext_small: convNextConfigs['convnext-small'],
  convnext_base: convNextConfigs['convnext-base'],
  convnext_large: convNextConfigs['convnext-large'],
  convnext_large_mlp: convNextConfigs['convnext-large'],
  convnext_xlarge: convNextConfigs['convnext-xlarge'],
  convnext_xxlarge: { ...convNextConfigs['clip-convnext-xxlarge'], imageSize: 224, dropPathRate: 0 },
};

/** timm's names of activations. */
const activationNames: Readonly<Record<string, ActivationName>> = {
  gelu: 'gelu',
  gelu_tanh: 'gelu_pytorch_tanh',
  quick_gelu: 'quick_gelu',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
};

/** Arguments of timm's `ConvNeXt`; those that would make another network are only taken with the value that does not. */
const argumentsSchema = z.strictObject({
  in_chans: z.number().optional(),
  depths: z.array(z.number()).optional(),
  dims: z.array(z.number()).optional(),
  kernel_sizes: z.number().optional(),
  patch_size: z.number().optional(),
  ls_init_value: z.number().nullish(),
  act_layer: z.enum(Object.keys(activationNames)).optional(),
  norm_eps: z.number().nullish(),
  drop_path_rate: z.number().optional(),
  conv_mlp: z.boolean().optional(),
  conv_bias: z.literal(true).optional(),
  use_grn: z.literal(false).optional(),
  stem_type: z.literal('patch').optional(),
  output_stride: z.literal(32).optional(),
  norm_layer: z.literal(['layernorm', 'layernorm2d']).nullish(),
  // What lies behind the stages.
  num_classes: z.number().optional(),
  global_pool: z.string().optional(),
  head_init_scale: z.number().optional(),
  head_norm_first: z.boolean().optional(),
  head_hidden_size: z.number().nullish(),
  drop_rate: z.number().optional(),
});

const fileSchema = z.object({
  architecture: z.string(),
  model_args: argumentsSchema.optional(),
  pretrained_cfg: z.object({ input_size: z.tuple([z.number(), z.number(), z.number()]).optional() }).optional(),
});

/**
 * The tower that a `config.json` of timm describes.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another network, or a field is invalid
 */
export function convNextConfigFromTimm(json: unknown): ConvNextConfig {
  const operation = 'convNextConfigFromTimm';
  const { architecture, model_args: given = {}, pretrained_cfg } = parseConfig(operation, fileSchema, json);
  return parseConvNextConfig({
    ...architectureOf(operation, architecture),
    ...defined({
      imageSize: pretrained_cfg?.input_size?.[1],
      numChannels: given.in_chans,
      depths: given.depths,
      hiddenSizes: given.dims,
      kernelSize: given.kernel_sizes,
      patchSize: given.patch_size,
      // None is a tower without layer scale.
      layerScaleInit: given.ls_init_value === null ? 0 : given.ls_init_value,
      hiddenAct: given.act_layer === undefined ? undefined : activationNames[given.act_layer],
      layerNormEps: given.norm_eps ?? undefined,
      dropPathRate: given.drop_path_rate,
    }),
  });
}

const openClipSchema = z.object({
  model_cfg: z.object({
    vision_cfg: z.object({
      timm_model_name: z.string(),
      timm_drop_path: z.number().nullish(),
      image_size: z.union([z.number(), z.tuple([z.number(), z.number()])]).default(224),
    }),
  }),
});

/**
 * The tower that an `open_clip_config.json` describes.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another network, or a field is invalid
 */
export function convNextConfigFromOpenClip(json: unknown): ConvNextConfig {
  const operation = 'convNextConfigFromOpenClip';
  const { timm_model_name, timm_drop_path, image_size } = parseConfig(operation, openClipSchema, json).model_cfg
    .vision_cfg;
  return parseConvNextConfig({
    ...architectureOf(operation, timm_model_name),
    imageSize: typeof image_size === 'number' ? image_size : Math.max(...image_size),
    ...(timm_drop_path == null ? {} : { dropPathRate: timm_drop_path }),
  });
}

/** A `config.json` of timm for a tower, which has no head: the nearest architecture, and how the tower differs from it. */
export function convNextConfigToTimm(config: ConvNextConfig): Record<string, unknown> {
  const isAlike = (each: ConvNextConfig) =>
    each.depths.join() === config.depths.join() && each.hiddenSizes.join() === config.hiddenSizes.join();
  const [architecture, base] = Object.entries(architectures).find(([, each]) => isAlike(each)) ?? [
    'convnext_base',
    convNextConfigs['convnext-base'],
  ];
  const activation = Object.entries(activationNames).find(([, name]) => name === config.hiddenAct)?.[0];
  if (activation === undefined) {
    throw new ConfigError({
      operation: 'convNextConfigToTimm',
      expected: `hiddenAct among ${[...new Set(Object.values(activationNames))].join(', ')}`,
      received: JSON.stringify(config.hiddenAct),
      remedy: "Use Hugging Face's layout.",
    });
  }
  const different = <Name extends keyof ConvNextConfig>(name: Name, argument: string, value: unknown = config[name]) =>
    String(config[name]) === String(base[name]) ? {} : { [argument]: value };
  return {
    architecture,
    num_classes: 0,
    num_features: config.hiddenSizes.at(-1)!,
    model_args: {
      ...different('numChannels', 'in_chans'),
      ...different('depths', 'depths'),
      ...different('hiddenSizes', 'dims'),
      ...different('kernelSize', 'kernel_sizes'),
      ...different('patchSize', 'patch_size'),
      ...different('layerScaleInit', 'ls_init_value', config.layerScaleInit === 0 ? null : config.layerScaleInit),
      ...different('hiddenAct', 'act_layer', activation),
      ...different('layerNormEps', 'norm_eps'),
      ...different('dropPathRate', 'drop_path_rate'),
    },
    pretrained_cfg: { input_size: [config.numChannels, config.imageSize, config.imageSize], num_classes: 0 },
  };
}

function architectureOf(operation: string, name: string): ConvNextConfig {
  const known = architectures[name.split('.')[0]!];
  if (known) return known;
  throw new ConfigError({
    operation,
    expected: `an architecture among ${Object.keys(architectures).join(', ')}`,
    received: JSON.stringify(name),
    remedy: 'Open the folder of a ConvNeXt (version 1) with the patch stem.',
  });
}

function defined(config: ConvNextConfigInput): ConvNextConfigInput {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}
