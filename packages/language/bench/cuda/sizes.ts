import { type LlamaConfig, llamaConfigs, parseLlamaConfig } from '@ocelli/language';

/** Qwen2-0.5B, or its shape small enough for a processor. */
export function decoderConfig(tiny: boolean): LlamaConfig {
  if (!tiny) return llamaConfigs['qwen2-0.5b'];
  const sizes = { vocabSize: 96, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 2, numAttentionHeads: 4 };
  return parseLlamaConfig({ ...llamaConfigs['qwen2-0.5b'], ...sizes, numKeyValueHeads: 2, headDim: 8 });
}

/** Multiplications by weights that a token takes, without the head. */
export function layerProducts(config: LlamaConfig): number {
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads, headDim } = config;
  const attention = 2 * hiddenSize * headDim * (numAttentionHeads + numKeyValueHeads);
  return numHiddenLayers * (attention + 3 * hiddenSize * intermediateSize);
}

/** Multiplications of scores and mixtures of a row, in which a token meets itself and those before it. */
export function attentionProducts(config: LlamaConfig, tokens: number): number {
  const pairs = (tokens * (tokens + 1)) / 2;
  return config.numHiddenLayers * 2 * pairs * config.numAttentionHeads * config.headDim;
}
