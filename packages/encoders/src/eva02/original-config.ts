import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type Eva02VisionConfig, parseEva02VisionConfig } from './config.js';

/** Arguments of the original's constructor. What this encoder cannot do is only taken with the value that needs not. */
const schema = z.object({
  img_size: z.number().default(1024),
  patch_size: z.number().default(16),
  in_chans: z.number().default(3),
  embed_dim: z.number().default(768),
  depth: z.number().default(12),
  num_heads: z.number().default(12),
  mlp_ratio: z.number().default((4 * 2) / 3),
  qkv_bias: z.boolean().default(true),
  drop_path_rate: z.literal(0).optional(),
  use_abs_pos: z.literal(true).optional(),
  use_rel_pos: z.literal(false).optional(),
  rope: z.literal(true).optional(),
  pt_hw_seq_len: z.number().default(16),
  intp_freq: z.boolean().default(true),
  window_size: z.number().default(0),
  global_window_size: z.literal(0).optional(),
  window_block_indexes: z.array(z.number()).default([]),
  residual_block_indexes: z.array(z.number()).length(0).optional(),
  pretrain_img_size: z.number().default(224),
  pretrain_use_cls_token: z.literal(true).optional(),
  subln: z.boolean().default(false),
});

/**
 * The encoder that the arguments of `EVAViT` (EVA-02, Eagle) describe; those that are absent have its defaults.
 *
 * @throws ConfigError if one is invalid, or asks for what {@link Eva02VisionEncoder} does not have
 */
export function eva02VisionConfigFromOriginal(json: unknown): Eva02VisionConfig {
  const operation = 'eva02VisionConfigFromOriginal';
  const file = parseConfig(operation, schema, json);
  const windowSize = file.window_size === 0 ? file.pt_hw_seq_len : file.window_size;
  const sides = [windowSize, Math.floor(file.img_size / file.patch_size)];
  if (!file.intp_freq && sides.some((side) => side !== file.pt_hw_seq_len)) {
    throw new ConfigError({
      operation,
      expected: `windows and grid of ${file.pt_hw_seq_len} a side where rotary positions are not scaled (intp_freq)`,
      received: sides.join(' and '),
    });
  }
  return parseEva02VisionConfig({
    hiddenSize: file.embed_dim,
    intermediateSize: Math.trunc(file.embed_dim * file.mlp_ratio),
    numHiddenLayers: file.depth,
    numAttentionHeads: file.num_heads,
    numChannels: file.in_chans,
    imageSize: file.img_size,
    patchSize: file.patch_size,
    windowSize,
    windowBlockIndexes: file.window_size === 0 ? [] : file.window_block_indexes,
    pretrainImageSize: file.pretrain_img_size,
    rotarySequenceLength: file.pt_hw_seq_len,
    qkvBias: file.qkv_bias,
    attentionNorm: file.subln,
  });
}
