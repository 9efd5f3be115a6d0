import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { type DecoderType, decoderArchitectures } from './architectures.js';
import { type LlamaConfig, parseLlamaConfig } from './config.js';

const ropeSchema = z.object({
  rope_type: z.string().optional(),
  /** The name of `rope_type` in older files. */
  type: z.string().optional(),
  factor: z.number().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: z.number().optional(),
  beta_fast: z.number().optional(),
  beta_slow: z.number().optional(),
  attention_factor: z.number().optional(),
});

/** What of a `config.json` shapes the model; everything else in it is about tokens, training or files. */
const fileSchema = z.object({
  model_type: z.string().optional(),
  vocab_size: z.number().optional(),
  hidden_size: z.number().optional(),
  intermediate_size: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  num_key_value_heads: z.number().nullish(),
  head_dim: z.number().nullish(),
  hidden_act: z.string().optional(),
  max_position_embeddings: z.number().optional(),
  rms_norm_eps: z.number().optional(),
  rope_theta: z.number().optional(),
  rope_scaling: ropeSchema.nullish(),
  attention_bias: z.boolean().optional(),
  /** InternLM2's name of `attention_bias`. */
  bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  tie_word_embeddings: z.boolean().optional(),
  pad_token_id: z.number().nullish(),
  initializer_range: z.number().optional(),
  // Published models attend to everything and drop nothing; this decoder cannot do otherwise.
  use_sliding_window: z.literal(false).optional(),
  attention_dropout: z.literal(0).optional(),
});

/** The biases of attention that a file decides about; those of other types follow from the type. */
const biasFields: Partial<Record<DecoderType, 'attention_bias' | 'bias'>> = {
  llama: 'attention_bias',
  internlm2: 'bias',
};

/**
 * The decoder family of a Hugging Face `config.json`; `llama` where the file does not say.
 *
 * @throws ConfigError for a model type that is none of the decoder's
 */
export function decoderTypeOf(json: unknown): DecoderType {
  const operation = 'llamaConfigFromHuggingFace';
  const type = parseConfig(operation, fileSchema, json).model_type ?? 'llama';
  if (Object.hasOwn(decoderArchitectures, type)) return type as DecoderType;
  throw new ConfigError({
    operation,
    expected: `model_type ${Object.keys(decoderArchitectures).join(' or ')}`,
    received: JSON.stringify(type),
    remedy: 'Open the folder of one of these models.',
  });
}

/**
 * The decoder that a Hugging Face `config.json` of model type `llama`, `qwen2` or `internlm2` describes. Fields that are
 * absent have the defaults of that type's configuration class.
 *
 * With `dynamic` rope scaling the base follows from each call's own length. InternLM2's class keeps the base that its
 * longest call so far needed, which makes results depend on what was computed before; that is not reproduced.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function llamaConfigFromHuggingFace(json: unknown): LlamaConfig {
  const type = decoderTypeOf(json);
  const file = parseConfig('llamaConfigFromHuggingFace', fileSchema, json);
  const biasField = biasFields[type];
  const given = {
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    intermediateSize: file.intermediate_size,
    numHiddenLayers: file.num_hidden_layers,
    numAttentionHeads: file.num_attention_heads,
    numKeyValueHeads: file.num_key_value_heads ?? undefined,
    headDim: file.head_dim ?? undefined,
    hiddenAct: file.hidden_act,
    maxPositionEmbeddings: file.max_position_embeddings,
    rmsNormEps: file.rms_norm_eps,
    ropeTheta: file.rope_theta,
    ropeScaling: ropeScaling(file.rope_scaling),
    attentionBias: biasField && file[biasField],
    // The other types have none, whatever the file says.
    mlpBias: type === 'llama' ? file.mlp_bias : undefined,
    tieWordEmbeddings: file.tie_word_embeddings,
    padTokenId: file.pad_token_id,
    initializerRange: file.initializer_range,
  };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parseLlamaConfig({ ...decoderArchitectures[type].defaults, ...present });
}

function ropeScaling(scaling: z.output<typeof ropeSchema> | null | undefined): Record<string, unknown> | null {
  const type = scaling?.rope_type ?? scaling?.type ?? 'default';
  if (!scaling || type === 'default') return null;
  const { factor } = scaling;
  if (type === 'llama3') {
    return {
      type,
      factor,
      lowFreqFactor: scaling.low_freq_factor,
      highFreqFactor: scaling.high_freq_factor,
      originalMaxPositionEmbeddings: scaling.original_max_position_embeddings,
    };
  }
  if (type === 'yarn') {
    const { beta_fast, beta_slow, attention_factor } = scaling;
    return { type, factor, betaFast: beta_fast, betaSlow: beta_slow, attentionFactor: attention_factor };
  }
  return { type, factor };
}
