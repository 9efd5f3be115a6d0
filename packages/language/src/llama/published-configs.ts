import { type LlamaConfig, parseLlamaConfig } from './config.js';

/** The published models that the recipes use. Source: their `config.json`. */
export const llamaConfigs = {
  'vicuna-7b-v1.5': parseLlamaConfig({ maxPositionEmbeddings: 4096, rmsNormEps: 1e-5, padTokenId: 0 }),
  'vicuna-13b-v1.5': parseLlamaConfig({
    hiddenSize: 5120,
    intermediateSize: 13824,
    numHiddenLayers: 40,
    numAttentionHeads: 40,
    maxPositionEmbeddings: 4096,
    rmsNormEps: 1e-5,
    padTokenId: 0,
  }),
  'llama-3-8b': parseLlamaConfig({
    vocabSize: 128256,
    intermediateSize: 14336,
    numKeyValueHeads: 8,
    maxPositionEmbeddings: 8192,
    rmsNormEps: 1e-5,
    ropeTheta: 500000,
  }),
  'qwen2-0.5b': parseLlamaConfig({
    vocabSize: 151936,
    hiddenSize: 896,
    intermediateSize: 4864,
    numHiddenLayers: 24,
    numAttentionHeads: 14,
    numKeyValueHeads: 2,
    maxPositionEmbeddings: 32768,
    ropeTheta: 1e6,
    attentionBias: true,
    attentionOutputBias: false,
    tieWordEmbeddings: true,
  }),
  'qwen2-1.5b': parseLlamaConfig({
    vocabSize: 151936,
    hiddenSize: 1536,
    intermediateSize: 8960,
    numHiddenLayers: 28,
    numAttentionHeads: 12,
    numKeyValueHeads: 2,
    maxPositionEmbeddings: 32768,
    ropeTheta: 1e6,
    attentionBias: true,
    attentionOutputBias: false,
    tieWordEmbeddings: true,
  }),
  'qwen2-7b': parseLlamaConfig({
    vocabSize: 152064,
    hiddenSize: 3584,
    intermediateSize: 18944,
    numHiddenLayers: 28,
    numAttentionHeads: 28,
    numKeyValueHeads: 4,
    maxPositionEmbeddings: 32768,
    ropeTheta: 1e6,
    attentionBias: true,
    attentionOutputBias: false,
  }),
  'internlm2-7b': parseLlamaConfig({
    vocabSize: 92544,
    intermediateSize: 14336,
    numKeyValueHeads: 8,
    maxPositionEmbeddings: 32768,
    rmsNormEps: 1e-5,
    ropeTheta: 1e6,
    ropeScaling: { type: 'dynamic', factor: 1 },
    padTokenId: 2,
  }),
} as const satisfies Record<string, LlamaConfig>;

/** A name under which {@link llamaConfigs} has a model. */
export type LlamaName = keyof typeof llamaConfigs;
