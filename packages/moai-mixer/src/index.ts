export { type MoaiCompressorConfig, type MoaiCompressorConfigInput, parseMoaiCompressorConfig } from './compressor/config.js';
export { type CompressOptions, MoaiCompressor } from './compressor/moai-compressor.js';
export {
  type MoaiMixerConfig,
  type MoaiMixerConfigInput,
  type MoaiMixersConfig,
  type MoaiMixersConfigInput,
  parseMoaiMixerConfig,
  parseMoaiMixersConfig,
} from './mixer/config.js';
export { MoaiExpert } from './mixer/expert.js';
export { type ExpertWeights, type MixOptions, MoaiMixer } from './mixer/moai-mixer.js';
export { type MixingHooks, type MixingOptions, type MixingPlace, MoaiMixers } from './mixer/moai-mixers.js';
export {
  drawExperts,
  expertNames,
  type GatePrecision,
  type MoaiMode,
  type MoaiRouting,
  routingOf,
} from './mixer/routing.js';
export { type PartialLoraConfig, type PartialLoraConfigInput, parsePartialLoraConfig } from './plora/config.js';
export { addPartialLora, PartialLora } from './plora/partial-lora.js';
export { type MoaiTrainingPhase, moaiTrainingPhases } from './training/phases.js';
