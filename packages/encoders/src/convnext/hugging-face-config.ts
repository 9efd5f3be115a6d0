import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type ConvNextConfig, parseConvNextConfig } from './config.js';

/** Values of `model_type` that are this tower. */
export const convNextModelTypes = ['convnext'] as const;

/** Hugging Face's implementation has it in its code. */
const huggingFaceEps = 1e-6;

/** What of a `config.json` shapes the tower; everything else in it is about labels, backbones or files. */
const fileSchema = z.object({
  model_type: z.literal(convNextModelTypes).optional(),
  num_channels: z.number().optional(),
  patch_size: z.number().optional(),
  num_stages: z.number().default(4),
  hidden_sizes: z.array(z.number()).nullish(),
  depths: z.array(z.number()).nullish(),
  hidden_act: z.string().optional(),
  initializer_range: z.number().optional(),
  layer_scale_init_value: z.number().optional(),
  drop_path_rate: z.number().optional(),
  image_size: z.number().optional(),
});

/**
 * The tower that a Hugging Face `config.json` describes, with `layer_norm_eps` left aside: it is that of the pooled norm,
 * and every other one has ε = 10⁻⁶. Fields that are absent have Hugging Face's defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function convNextConfigFromHuggingFace(json: unknown): ConvNextConfig {
  const operation = 'convNextConfigFromHuggingFace';
  const file = parseConfig(operation, fileSchema, json);
  const config = parseConvNextConfig({
    numChannels: file.num_channels,
    patchSize: file.patch_size,
    depths: file.depths ?? undefined,
    hiddenSizes: file.hidden_sizes ?? undefined,
    hiddenAct: file.hidden_act as ConvNextConfig['hiddenAct'] | undefined,
    layerNormEps: huggingFaceEps,
    layerScaleInit: file.layer_scale_init_value && Math.max(0, file.layer_scale_init_value),
    dropPathRate: file.drop_path_rate,
    initializerRange: file.initializer_range,
    imageSize: file.image_size,
  });
  if (config.depths.length === file.num_stages) return config;
  throw new ConfigError({
    operation,
    expected: `depths of ${file.num_stages} stages, as num_stages says`,
    received: config.depths.join(', '),
    remedy: 'Correct the file.',
  });
}

/**
 * The `config.json` of Hugging Face's `ConvNextModel` for a tower.
 *
 * @throws ConfigError if that model cannot be one: its ε is 10⁻⁶ and its kernels are 7 × 7
 */
export function convNextConfigToHuggingFace(config: ConvNextConfig): Record<string, unknown> {
  const { depths, layerNormEps, kernelSize } = config;
  if (layerNormEps !== huggingFaceEps || kernelSize !== 7) {
    throw new ConfigError({
      operation: 'convNextConfigToHuggingFace',
      expected: `layerNormEps ${huggingFaceEps} and kernelSize 7, which Hugging Face's model always has`,
      received: `layerNormEps ${layerNormEps} and kernelSize ${kernelSize}`,
      remedy: "Use timm's layout.",
    });
  }
  const stageNames = depths.map((_, index) => `stage${index + 1}`);
  return {
    architectures: ['ConvNextModel'],
    model_type: 'convnext',
    num_channels: config.numChannels,
    patch_size: config.patchSize,
    num_stages: depths.length,
    depths,
    hidden_sizes: config.hiddenSizes,
    hidden_act: config.hiddenAct,
    layer_norm_eps: 1e-12,
    layer_scale_init_value: config.layerScaleInit,
    drop_path_rate: config.dropPathRate,
    initializer_range: config.initializerRange,
    image_size: config.imageSize,
    stage_names: ['stem', ...stageNames],
    out_features: [stageNames.at(-1)!],
    out_indices: [depths.length],
  };
}
