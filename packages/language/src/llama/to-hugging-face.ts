import { ConfigError } from '@ocelli/core-tensor';
import { type DecoderType, decoderArchitectures } from './architectures.js';
import type { LlamaConfig } from './config.js';

/** The family whose class computes what a configuration describes; `llama` where several do. */
export function decoderTypeFor({ attentionBias, attentionOutputBias, mlpBias }: LlamaConfig): DecoderType {
  return attentionBias && !attentionOutputBias && !mlpBias ? 'qwen2' : 'llama';
}

/**
 * The `config.json` of Hugging Face's class for a decoder, without what concerns tokens and files. The inverse of
 * `llamaConfigFromHuggingFace`.
 *
 * @param type Default: the family whose class computes it, `llama` where several do.
 * @throws ConfigError if the family has no such model
 */
export function llamaConfigToHuggingFace(
  config: LlamaConfig,
  type: DecoderType = decoderTypeFor(config),
): Record<string, unknown> {
  const refusal = whyNot(config, type);
  if (refusal) {
    throw new ConfigError({
      operation: 'llamaConfigToHuggingFace',
      expected: `a decoder of type ${type}: ${refusal.expected}`,
      received: refusal.received,
      remedy: `Write it as another type out of ${Object.keys(decoderArchitectures).join(', ')}.`,
    });
  }
  const { attentionBias, mlpBias, headDim, hiddenSize, numAttentionHeads } = config;
  return {
    architectures: [decoderArchitectures[type].className],
    model_type: type,
    vocab_size: config.vocabSize,
    hidden_size: hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    ...(headDim * numAttentionHeads === hiddenSize ? {} : { head_dim: headDim }),
    hidden_act: config.hiddenAct,
    max_position_embeddings: config.maxPositionEmbeddings,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_scaling: ropeScaling(config.ropeScaling),
    ...(type === 'llama' ? { attention_bias: attentionBias, mlp_bias: mlpBias } : {}),
    ...(type === 'internlm2' ? { bias: attentionBias } : {}),
    tie_word_embeddings: config.tieWordEmbeddings,
    pad_token_id: config.padTokenId,
    initializer_range: config.initializerRange,
  };
}

/** What of a configuration a family cannot have. */
function whyNot(config: LlamaConfig, type: DecoderType): { expected: string; received: string } | undefined {
  const { attentionBias, attentionOutputBias, mlpBias, headDim, hiddenSize, numAttentionHeads, ropeScaling } = config;
  const biases = `attentionBias ${attentionBias}, attentionOutputBias ${attentionOutputBias}, mlpBias ${mlpBias}`;
  if (type === 'llama') {
    return attentionOutputBias === attentionBias
      ? undefined
      : { expected: 'attentionOutputBias equal to attentionBias', received: biases };
  }
  if (type === 'qwen2' && (!attentionBias || attentionOutputBias || mlpBias)) {
    return { expected: 'attentionBias without attentionOutputBias and mlpBias', received: biases };
  }
  if (type === 'internlm2' && (attentionOutputBias !== attentionBias || mlpBias)) {
    return { expected: 'attentionOutputBias equal to attentionBias, no mlpBias', received: biases };
  }
  if (headDim * numAttentionHeads !== hiddenSize) {
    return { expected: 'headDim = hiddenSize / numAttentionHeads', received: `headDim ${headDim}` };
  }
  if (type === 'internlm2' && ropeScaling && ropeScaling.type !== 'linear' && ropeScaling.type !== 'dynamic') {
    return { expected: 'ropeScaling linear or dynamic', received: ropeScaling.type };
  }
  return undefined;
}

/** With both names of the type: files of different ages have one or the other. */
function ropeScaling(scaling: LlamaConfig['ropeScaling']): Record<string, unknown> | null {
  if (!scaling) return null;
  const { type, factor } = scaling;
  const common = { type, rope_type: type, factor };
  if (type === 'llama3') {
    return {
      ...common,
      low_freq_factor: scaling.lowFreqFactor,
      high_freq_factor: scaling.highFreqFactor,
      original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
    };
  }
  if (type === 'yarn') {
    const { betaFast, betaSlow, attentionFactor } = scaling;
    const attention = attentionFactor === undefined ? {} : { attention_factor: attentionFactor };
    return { ...common, beta_fast: betaFast, beta_slow: betaSlow, ...attention };
  }
  return common;
}
