export { CAbstractor } from './c-abstractor/c-abstractor.js';
export { type CAbstractorConfig, type CAbstractorConfigInput, parseCAbstractorConfig } from './c-abstractor/config.js';
export { ConvolutionStage, type StageBlock } from './c-abstractor/convolution-stage.js';
export { type DAbstractorConfig, type DAbstractorConfigInput, parseDAbstractorConfig } from './d-abstractor/config.js';
export { DAbstractor } from './d-abstractor/d-abstractor.js';
export { initialReferencePoints } from './d-abstractor/reference-points.js';
export {
  DeformableAttention,
  type DeformableAttentionConfig,
  type DeformableAttentionOutput,
} from './deformable-attention/deformable-attention.js';
export { type DirectionBiasOptions, directionBias } from './deformable-attention/direction-bias.js';
export { ChannelConcat } from './fusion/channel-concat/channel-concat.js';
export {
  type ChannelConcatConfig,
  type ChannelConcatConfigInput,
  parseChannelConcatConfig,
} from './fusion/channel-concat/config.js';
export {
  type DeformableFusionConfig,
  type DeformableFusionConfigInput,
  parseDeformableFusionConfig,
} from './fusion/deformable/config.js';
export { DeformableFusion } from './fusion/deformable/deformable-fusion.js';
export { mapToTokens, resizeFeatureMap, tokensToMap } from './fusion/feature-maps.js';
export type { Fusion, Grid } from './fusion/fusion.js';
export { alignSlowPath } from './fusion/llava-hr/align-slow-path.js';
export { type LlavaHrConfig, type LlavaHrConfigInput, parseLlavaHrConfig } from './fusion/llava-hr/config.js';
export { LlavaHrFusion } from './fusion/llava-hr/llava-hr-fusion.js';
export { MixtureOfResolutionAdapter } from './fusion/llava-hr/mixture-of-resolution-adapter.js';
export {
  type MiniGeminiConfig,
  type MiniGeminiConfigInput,
  parseMiniGeminiConfig,
} from './fusion/mini-gemini/config.js';
export { featurePyramid } from './fusion/mini-gemini/feature-pyramid.js';
export { MiniGeminiFusion } from './fusion/mini-gemini/mini-gemini-fusion.js';
export {
  createFusion,
  type FusionConfig,
  type FusionConfigInput,
  type FusionOf,
  type FusionType,
  fusions,
} from './fusion/registry.js';
export {
  parseSequenceAppendConfig,
  type SequenceAppendConfig,
  type SequenceAppendConfigInput,
} from './fusion/sequence-append/config.js';
export { SequenceAppend } from './fusion/sequence-append/sequence-append.js';
export {
  type LinearProjectorConfig,
  type LinearProjectorConfigInput,
  type MlpProjectorConfig,
  type MlpProjectorConfigInput,
  parseLinearProjectorConfig,
  parseMlpProjectorConfig,
} from './mlp/config.js';
export { type LlavaKeyMapOptions, llavaProjectorKeyMap } from './mlp/key-map.js';
export { type LlavaProjectorConfig, type LlavaProjectorWidths, llavaProjectorConfig } from './mlp/llava-names.js';
export { type MlpOrLinearConfigInput, MlpProjector } from './mlp/mlp-projector.js';
export type { Projector, ProjectorForwardOptions } from './projector.js';
export {
  createProjector,
  type ProjectorConfig,
  type ProjectorConfigInput,
  type ProjectorOf,
  type ProjectorType,
  projectors,
} from './registry.js';
export { parseResamplerConfig, type ResamplerConfig, type ResamplerConfigInput } from './resampler/config.js';
export { Resampler } from './resampler/resampler.js';
export { withoutClassPosition } from './shared.js';
