import { initializers } from '@ocelli/core-tensor';
import type { VitBlockConfig } from '../vit/block.js';
import type { ClipVisionConfig } from './config.js';

/** A block of CLIP; first values as in Hugging Face's `CLIPPreTrainedModel`. */
export function blockConfig(config: ClipVisionConfig): VitBlockConfig {
  const { hiddenSize, numHiddenLayers, initializerFactor } = config;
  const start = (deviation: number) => ({ initializer: initializers.normal(0, deviation * initializerFactor) });
  const depth = (2 * numHiddenLayers) ** -0.5;
  return {
    width: hiddenSize,
    hiddenWidth: config.intermediateSize,
    heads: config.numAttentionHeads,
    activation: config.hiddenAct,
    layerNormEps: config.layerNormEps,
    start: {
      attentionInput: start(hiddenSize ** -0.5 * depth),
      attentionOutput: start(hiddenSize ** -0.5),
      feedForwardInput: start((2 * hiddenSize) ** -0.5),
      feedForwardOutput: start(hiddenSize ** -0.5 * depth),
    },
  };
}
