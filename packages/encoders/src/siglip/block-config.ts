import { initializers } from '@ocelli/core-tensor';
import type { VitBlockConfig } from '../vit/block.js';
import type { SiglipVisionConfig } from './config.js';

/** A block of SigLIP; first values as in Hugging Face's `SiglipPreTrainedModel`. */
export function blockConfig(config: SiglipVisionConfig): VitBlockConfig {
  const attention = { initializer: initializers.xavierUniform() };
  const feedForward = { ...attention, biasInitializer: initializers.normal(0, 1e-6) };
  return {
    width: config.hiddenSize,
    hiddenWidth: config.intermediateSize,
    heads: config.numAttentionHeads,
    activation: config.hiddenAct,
    layerNormEps: config.layerNormEps,
    start: {
      attentionInput: attention,
      attentionOutput: attention,
      feedForwardInput: feedForward,
      feedForwardOutput: feedForward,
    },
  };
}
