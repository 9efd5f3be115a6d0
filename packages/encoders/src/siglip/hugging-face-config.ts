import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { parseSiglipVisionConfig, type SiglipVisionConfig } from './config.js';

/** What of a `config.json` shapes the tower; everything else in it is about text, training or files. */
const visionSchema = z.object({
  model_type: z.string().optional(),
  hidden_size: z.number().optional(),
  intermediate_size: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  num_channels: z.number().optional(),
  image_size: z.number().optional(),
  patch_size: z.number().optional(),
  hidden_act: z.string().optional(),
  layer_norm_eps: z.number().optional(),
  vision_use_head: z.boolean().optional(),
  // No published tower drops attention weights, and this one cannot.
  attention_dropout: z.literal(0).optional(),
});

const fileSchema = visionSchema.extend({ vision_config: visionSchema.nullish() });

/** Values of `model_type` whose vision tower is this one. */
export const siglipModelTypes = ['siglip', 'siglip_vision_model'] as const;

/**
 * The tower that a Hugging Face `config.json` describes: that of a vision tower, or of a whole model (of SigLIP, or of a
 * vision-language model with its tower), which nests it as `vision_config`. Fields that are absent have Hugging Face's
 * defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function siglipVisionConfigFromHuggingFace(json: unknown): SiglipVisionConfig {
  const operation = 'siglipVisionConfigFromHuggingFace';
  const file = parseConfig(operation, fileSchema, json);
  const vision = file.vision_config ?? file;
  const type = vision.model_type ?? file.model_type;
  if (type !== undefined && !siglipModelTypes.some((known) => known === type)) {
    throw new ConfigError({
      operation,
      expected: `model_type ${siglipModelTypes.join(' or ')}`,
      received: JSON.stringify(type),
      remedy: 'Open the folder of a SigLIP model.',
    });
  }
  return parseSiglipVisionConfig({
    hiddenSize: vision.hidden_size,
    intermediateSize: vision.intermediate_size,
    numHiddenLayers: vision.num_hidden_layers,
    numAttentionHeads: vision.num_attention_heads,
    numChannels: vision.num_channels,
    imageSize: vision.image_size,
    patchSize: vision.patch_size,
    hiddenAct: vision.hidden_act as SiglipVisionConfig['hiddenAct'] | undefined,
    layerNormEps: vision.layer_norm_eps,
    visionUseHead: vision.vision_use_head,
  });
}

/** The `config.json` of Hugging Face's `SiglipVisionModel` for a tower. */
export function siglipVisionConfigToHuggingFace(config: SiglipVisionConfig): Record<string, unknown> {
  return {
    architectures: ['SiglipVisionModel'],
    model_type: 'siglip_vision_model',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_channels: config.numChannels,
    image_size: config.imageSize,
    patch_size: config.patchSize,
    hidden_act: config.hiddenAct,
    layer_norm_eps: config.layerNormEps,
    attention_dropout: 0,
    vision_use_head: config.visionUseHead,
  };
}
