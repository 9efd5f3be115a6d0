import { ConfigError, parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { parseRobertaConfig, type RobertaConfig } from './config.js';

/** What of a `config.json` shapes the model; everything else in it is about tokens, training or files. */
const fileSchema = z.object({
  model_type: z.string().optional(),
  vocab_size: z.number().optional(),
  hidden_size: z.number().optional(),
  intermediate_size: z.number().optional(),
  num_hidden_layers: z.number().optional(),
  num_attention_heads: z.number().optional(),
  max_position_embeddings: z.number().optional(),
  type_vocab_size: z.number().optional(),
  hidden_act: z.string().optional(),
  layer_norm_eps: z.number().optional(),
  pad_token_id: z.number().optional(),
  hidden_dropout_prob: z.number().optional(),
  attention_probs_dropout_prob: z.number().optional(),
  initializer_range: z.number().optional(),
  // This encoder has absolute positions, sees all tokens, and its head is the word table.
  position_embedding_type: z.literal('absolute').optional(),
  is_decoder: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
  tie_word_embeddings: z.literal(true).optional(),
});

/**
 * The encoder that a Hugging Face `config.json` of model type `roberta` describes. Fields that are absent have Hugging
 * Face's defaults.
 *
 * @param json the parsed file
 * @throws ConfigError if it describes another kind of model, or a field is invalid
 */
export function robertaConfigFromHuggingFace(json: unknown): RobertaConfig {
  const operation = 'robertaConfigFromHuggingFace';
  const file = parseConfig(operation, fileSchema, json);
  if (file.model_type !== undefined && file.model_type !== 'roberta') {
    throw new ConfigError({
      operation,
      expected: 'model_type roberta',
      received: JSON.stringify(file.model_type),
      remedy: 'Open the folder of a RoBERTa model.',
    });
  }
  return parseRobertaConfig({
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    intermediateSize: file.intermediate_size,
    numHiddenLayers: file.num_hidden_layers,
    numAttentionHeads: file.num_attention_heads,
    maxPositionEmbeddings: file.max_position_embeddings,
    typeVocabSize: file.type_vocab_size,
    hiddenAct: file.hidden_act as RobertaConfig['hiddenAct'] | undefined,
    layerNormEps: file.layer_norm_eps,
    padTokenId: file.pad_token_id,
    hiddenDropoutProb: file.hidden_dropout_prob,
    attentionProbsDropoutProb: file.attention_probs_dropout_prob,
    initializerRange: file.initializer_range,
  });
}

/** The `config.json` of Hugging Face's RoBERTa models, without the name of one. */
export function robertaConfigToHuggingFace(config: RobertaConfig): Record<string, unknown> {
  return {
    model_type: 'roberta',
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    max_position_embeddings: config.maxPositionEmbeddings,
    type_vocab_size: config.typeVocabSize,
    hidden_act: config.hiddenAct,
    layer_norm_eps: config.layerNormEps,
    pad_token_id: config.padTokenId,
    hidden_dropout_prob: config.hiddenDropoutProb,
    attention_probs_dropout_prob: config.attentionProbsDropoutProb,
    initializer_range: config.initializerRange,
  };
}
