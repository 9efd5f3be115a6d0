import type { ActivationName } from '@ocelli/core-tensor';
import { z } from 'zod';

/** What a Hugging Face `config.json` says of a vision transformer such as CLIP's and SigLIP's. */
export const vitFields = {
  hidden_size: z.number().optional(),
  intermediate_size: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  num_channels: z.number().optional(),
  image_size: z.number().optional(),
  patch_size: z.number().optional(),
  hidden_act: z.string().optional(),
  layer_norm_eps: z.number().optional(),
  // No published tower drops attention weights, and these cannot.
  attention_dropout: z.literal(0).optional(),
};

/** The same fields of a tower's configuration. */
interface VitConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numChannels: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
}

/** Fields of a file as those of a configuration, which checks them. */
export function fromVitFields(fields: z.output<z.ZodObject<typeof vitFields>>) {
  return {
    hiddenSize: fields.hidden_size,
    intermediateSize: fields.intermediate_size,
    numHiddenLayers: fields.num_hidden_layers,
    numAttentionHeads: fields.num_attention_heads,
    numChannels: fields.num_channels,
    imageSize: fields.image_size,
    patchSize: fields.patch_size,
    hiddenAct: fields.hidden_act as ActivationName | undefined,
    layerNormEps: fields.layer_norm_eps,
  };
}

/** Fields of a configuration as those of a file. */
export function toVitFields(config: VitConfig) {
  return {
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
  };
}
