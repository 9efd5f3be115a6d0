export { type GeneratedRow, type GenerateOptions, generate } from './generation/generate.js';
export { leftPad, type PaddedPrompts } from './generation/left-pad.js';
export type { CachedTokens, KeyValueCache } from './llama/cache.js';
export { type LlamaConfig, type LlamaConfigInput, parseLlamaConfig, type RopeScaling } from './llama/config.js';
export type { DecoderHooks } from './llama/decoder-layer.js';
export { llamaConfigFromHuggingFace } from './llama/hugging-face-config.js';
export type { TokenInput } from './llama/input.js';
export {
  type DecodeInput,
  type DecodeOutput,
  Llama,
  type LlamaInput,
  type LlamaOutput,
  type PrefillInput,
} from './llama/llama.js';
export { loadLlama } from './llama/load-llama.js';
export { type LlamaName, llamaConfigs } from './llama/published-configs.js';
export {
  type RotaryConfig,
  type RotaryFrequencies,
  rotaryFrequencies,
  rotaryTablesOf,
} from './llama/rotary.js';
