import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type ClipVisionConfig, parseClipVisionConfig } from './config.js';

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
  initializer_range: z.number().optional(),
  initializer_factor: z.number().optional(),
  // No published tower drops attention weights, and this one cannot.
  attention_dropout: z.literal(0).optional(),
});

const fileSchema = visionSchema.extend({ vision_config: visionSchema.optional() });

const modelTypes = ['clip', 'clip_vision_model'];

/**
 * The tower that a Hugging Face `config.json` describes: that of a vision tower, or of a whole CLIP model, which nests
 * it as `vision_config`. Fields that are absent have Hugging Face's defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function clipVisionConfigFromHuggingFace(json: unknown): ClipVisionConfig {
  const operation = 'clipVisionConfigFromHuggingFace';
  const file = parseConfig(operation, fileSchema, json);
  if (file.model_type !== undefined && !modelTypes.includes(file.model_type)) {
    throw new ConfigError({
      operation,
      expected: `model_type ${modelTypes.join(' or ')}`,
      received: JSON.stringify(file.model_type),
      remedy: 'Open the folder of a CLIP model.',
    });
  }
  const vision = file.vision_config ?? file;
  return parseClipVisionConfig({
    hiddenSize: vision.hidden_size,
    intermediateSize: vision.intermediate_size,
    numHiddenLayers: vision.num_hidden_layers,
    numAttentionHeads: vision.num_attention_heads,
    numChannels: vision.num_channels,
    imageSize: vision.image_size,
    patchSize: vision.patch_size,
    hiddenAct: vision.hidden_act as ClipVisionConfig['hiddenAct'] | undefined,
    layerNormEps: vision.layer_norm_eps,
    initializerRange: vision.initializer_range,
    initializerFactor: vision.initializer_factor,
  });
}
