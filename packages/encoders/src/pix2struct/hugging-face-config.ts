import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { visionPartOf } from '../checkpoint/vision-part.js';
import { type Pix2StructVisionConfig, parsePix2StructVisionConfig } from './config.js';

/** What of a `config.json` shapes the encoder; everything else in it is about text, training or files. */
const fields = {
  hidden_size: z.number().optional(),
  patch_embed_hidden_size: z.number().optional(),
  d_ff: z.number().optional(),
  d_kv: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  seq_len: z.number().optional(),
  patch_size: z.number().optional(),
  dense_act_fn: z.string().optional(),
  layer_norm_eps: z.number().optional(),
  // The published encoders drop nothing, and this one cannot.
  dropout_rate: z.literal(0).optional(),
  attention_dropout: z.literal(0).optional(),
};

/** Of the file, whichever part nests in it. */
const fileSchema = z.object({
  initializer_factor: z.number().optional(),
  initializer_range: z.number().optional(),
});

/** Values of `model_type` whose vision encoder is this one. */
export const pix2structModelTypes = ['pix2struct', 'pix2struct_vision_model'] as const;

/**
 * The encoder that a Hugging Face `config.json` describes: that of the encoder alone, or of a whole Pix2Struct model,
 * which nests it as `vision_config`. Fields that are absent have Hugging Face's defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function pix2structVisionConfigFromHuggingFace(json: unknown): Pix2StructVisionConfig {
  const operation = 'pix2structVisionConfigFromHuggingFace';
  const vision = visionPartOf(json, { operation, fields, modelTypes: pix2structModelTypes, name: 'Pix2Struct' });
  const file = parseConfig(operation, fileSchema, json);
  return parsePix2StructVisionConfig({
    hiddenSize: vision.hidden_size,
    patchEmbedHiddenSize: vision.patch_embed_hidden_size,
    intermediateSize: vision.d_ff,
    numHiddenLayers: vision.num_hidden_layers,
    numAttentionHeads: vision.num_attention_heads,
    headDim: vision.d_kv,
    sequenceLength: vision.seq_len,
    patchSize: vision.patch_size,
    hiddenAct: vision.dense_act_fn as Pix2StructVisionConfig['hiddenAct'] | undefined,
    layerNormEps: vision.layer_norm_eps,
    initializerFactor: file.initializer_factor,
    // A whole model starts with its own deviation; the vision part's is so small that nothing would train.
    initializerRange: file.initializer_range,
  });
}
