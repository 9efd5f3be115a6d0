export { type CachedSessionOptions, cachedSession } from './generation/cached-session.js';
export { contextLength } from './generation/context-length.js';
export type { DecoderSession, Logits } from './generation/decoder-session.js';
export { generate, generateStream } from './generation/generate.js';
export type {
  FinishReason,
  GenerateCall,
  GeneratedRow,
  GenerateOptions,
  GenerateStreamOptions,
} from './generation/generate-options.js';
export type { GeneratedToken } from './generation/generating-row.js';
export {
  type GenerationConfig,
  type GenerationConfigInput,
  parseGenerationConfig,
} from './generation/generation-config.js';
export { generationConfigFromHuggingFace, loadGenerationConfig } from './generation/hugging-face-generation-config.js';
export { leftPad, type PaddedPrompts } from './generation/left-pad.js';
export type { LogitsProcessor, RowContext } from './generation/logits-processor.js';
// Namespaces: `topK` and `temperature` would read as settings.
export * as penalties from './generation/penalties.js';
export { likeliestToken, sampleToken, samplingKeys } from './generation/sampling.js';
export { type Keyword, keywordsCriterion, type StoppingCriterion, stopStringCriterion } from './generation/stopping.js';
export { type TextPiece, type TextStream, type TokenDecoder, textStream } from './generation/text-stream.js';
export { type UncachedSessionOptions, uncachedSession } from './generation/uncached-session.js';
export * as warpers from './generation/warpers.js';
export { type DecoderArchitecture, type DecoderType, decoderArchitectures } from './llama/architectures.js';
export type { KeyValueCache } from './llama/cache.js';
export { type LlamaConfig, type LlamaConfigInput, parseLlamaConfig, type RopeScaling } from './llama/config.js';
export type { DecoderHooks, DecoderPlace } from './llama/decoder-layer.js';
export { decoderTypeOf, llamaConfigFromHuggingFace } from './llama/hugging-face-config.js';
export type { TokenInput } from './llama/input.js';
export { internlm2KeyMap, llamaKeyMap, metaLlamaKeyMap } from './llama/key-map.js';
export {
  type DecodeInput,
  type DecodeOutput,
  Llama,
  type LlamaInput,
  type LlamaOutput,
  type PrefillInput,
} from './llama/llama.js';
export { type LoadLlamaOptions, loadLlama } from './llama/load-llama.js';
export { llamaConfigFromMeta } from './llama/meta-config.js';
export { type LlamaName, llamaConfigs } from './llama/published-configs.js';
export {
  type RotaryConfig,
  type RotaryFrequencies,
  rotaryFrequencies,
  rotaryTablesOf,
} from './llama/rotary.js';
export { type SaveLlamaOptions, saveLlama } from './llama/save-llama.js';
export { llamaConfigToHuggingFace } from './llama/to-hugging-face.js';
