import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type ClipVisionConfig, parseClipVisionConfig } from './config.js';

/**
 * What of an `open_clip_config.json` shapes the tower. Fields that change it in a way that this tower cannot are only
 * taken with the value that does not.
 */
const fileSchema = z.object({
  model_cfg: z.object({
    quick_gelu: z.boolean().default(false),
    vision_cfg: z.object({
      layers: z.int(),
      width: z.int(),
      head_width: z.int().default(64),
      mlp_ratio: z.number().default(4),
      patch_size: z.int().default(16),
      image_size: z.union([z.int(), z.tuple([z.int(), z.int()])]).default(224),
      ls_init_value: z.null().optional(),
      no_ln_pre: z.literal(false).optional(),
      pos_embed_type: z.literal('learnable').optional(),
      attentional_pool: z.literal(false).optional(),
      timm_model_name: z.null().optional(),
      act_kwargs: z.null().optional(),
      norm_kwargs: z.null().optional(),
    }),
  }),
});

/**
 * The tower that an `open_clip_config.json` describes. Without `quick_gelu` its activation is the exact GELU.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of tower, or a field is invalid
 */
export function clipVisionConfigFromOpenClip(json: unknown): ClipVisionConfig {
  const operation = 'clipVisionConfigFromOpenClip';
  const { quick_gelu, vision_cfg: vision } = parseConfig(operation, fileSchema, json).model_cfg;
  const [height, width] = typeof vision.image_size === 'number' ? [vision.image_size] : vision.image_size;
  if (width !== undefined && width !== height) {
    throw new ConfigError({
      operation,
      expected: 'a square image_size',
      received: JSON.stringify(vision.image_size),
    });
  }
  return parseClipVisionConfig({
    hiddenSize: vision.width,
    intermediateSize: Math.trunc(vision.width * vision.mlp_ratio),
    numHiddenLayers: vision.layers,
    numAttentionHeads: Math.trunc(vision.width / vision.head_width),
    imageSize: height,
    patchSize: vision.patch_size,
    hiddenAct: quick_gelu ? 'quick_gelu' : 'gelu',
  });
}

/** The only ε of open_clip's norms. */
const openClipEps = 1e-5;

/**
 * The image side of an `open_clip_config.json` for a tower.
 *
 * @throws ConfigError if open_clip cannot have such a tower: its ε is 10⁻⁵, and its activations are GELU and quick GELU
 */
export function clipVisionConfigToOpenClip(config: ClipVisionConfig): Record<string, unknown> {
  const { hiddenSize, intermediateSize, numAttentionHeads, numChannels, hiddenAct, layerNormEps } = config;
  const isPossible = layerNormEps === openClipEps && numChannels === 3 && /^(quick_)?gelu$/.test(hiddenAct);
  if (!isPossible) {
    throw new ConfigError({
      operation: 'clipVisionConfigToOpenClip',
      expected: `layerNormEps ${openClipEps}, 3 channels, and hiddenAct gelu or quick_gelu, which open_clip always has`,
      received: `layerNormEps ${layerNormEps}, ${numChannels} channels, and hiddenAct ${hiddenAct}`,
      remedy: "Use Hugging Face's layout.",
    });
  }
  const ratio = intermediateSize / hiddenSize;
  return {
    model_cfg: {
      quick_gelu: hiddenAct === 'quick_gelu',
      vision_cfg: {
        image_size: config.imageSize,
        layers: config.numHiddenLayers,
        width: hiddenSize,
        head_width: hiddenSize / numAttentionHeads,
        // open_clip rounds the product down.
        mlp_ratio: Math.trunc(hiddenSize * ratio) === intermediateSize ? ratio : (intermediateSize + 0.5) / hiddenSize,
        patch_size: config.patchSize,
      },
    },
  };
}
