import { Llama } from '../src/llama/llama.js';

/** A frozen LLaMA with 127M random parameters, the same each time. */
export function benchLlama(): Llama {
  const model = new Llama({
    vocabSize: 32000,
    hiddenSize: 768,
    intermediateSize: 1792,
    numHiddenLayers: 12,
    numAttentionHeads: 12,
    maxPositionEmbeddings: 2048,
  }).initialize(0);
  model.freeze();
  return model;
}
