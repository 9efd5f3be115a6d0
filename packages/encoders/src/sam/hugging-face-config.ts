import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { visionPartOf } from '../checkpoint/vision-part.js';
import { parseSamVisionConfig, type SamVisionConfig, type SamVisionConfigInput } from './config.js';

/** What of a `config.json` shapes the encoder; everything else in it is about prompts, masks, training or files. */
const fields = {
  hidden_size: z.number().optional(),
  output_channels: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  num_channels: z.number().optional(),
  image_size: z.number().optional(),
  patch_size: z.number().optional(),
  hidden_act: z.string().optional(),
  layer_norm_eps: z.number().optional(),
  // No published encoder drops attention weights, and this one cannot.
  attention_dropout: z.literal(0).optional(),
  qkv_bias: z.boolean().optional(),
  mlp_ratio: z.number().default(4),
  mlp_dim: z.number().nullish(),
  use_abs_pos: z.boolean().optional(),
  use_rel_pos: z.boolean().optional(),
  window_size: z.number().optional(),
  global_attn_indexes: z.array(z.number()).optional(),
};

/** Of a whole model: the vision part's own value is not used by anything. */
const wholeSchema = z.object({ vision_config: z.unknown().optional(), initializer_range: z.number().optional() });

/** Values of `model_type` whose vision encoder is this one. */
export const samModelTypes = ['sam', 'sam_vision_model'] as const;

/** What no `config.json` says. */
export type SamVisionOverrides = Pick<SamVisionConfigInput, 'neck' | 'pixelUnshuffle'>;

/**
 * The encoder that a Hugging Face `config.json` describes: that of the encoder alone, or of a whole SAM model, which
 * nests it as `vision_config`. Fields that are absent have Hugging Face's defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function samVisionConfigFromHuggingFace(json: unknown, overrides: SamVisionOverrides = {}): SamVisionConfig {
  const operation = 'samVisionConfigFromHuggingFace';
  const vision = visionPartOf(json, { operation, fields, modelTypes: samModelTypes, name: 'SAM' });
  const whole = parseConfig(operation, wholeSchema, json);
  const { hidden_size = 768, mlp_ratio, mlp_dim } = vision;
  return parseSamVisionConfig({
    hiddenSize: hidden_size,
    intermediateSize: mlp_dim ?? Math.trunc(hidden_size * mlp_ratio),
    numHiddenLayers: vision.num_hidden_layers,
    numAttentionHeads: vision.num_attention_heads,
    numChannels: vision.num_channels,
    imageSize: vision.image_size,
    patchSize: vision.patch_size,
    hiddenAct: vision.hidden_act as SamVisionConfig['hiddenAct'] | undefined,
    layerNormEps: vision.layer_norm_eps,
    qkvBias: vision.qkv_bias,
    useAbsolutePositions: vision.use_abs_pos,
    useRelativePositions: vision.use_rel_pos,
    windowSize: vision.window_size,
    globalAttentionIndexes: vision.global_attn_indexes,
    outputChannels: vision.output_channels,
    initializerRange: whole.vision_config ? whole.initializer_range : undefined,
    ...overrides,
  });
}
