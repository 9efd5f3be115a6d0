export { AdaptiveResidualManager } from './language/adaptive-residual-manager.js';
export {
  injectionLayers,
  managedStates,
  parseResidualManagersConfig,
  type ResidualManagersConfig,
  type ResidualManagersConfigInput,
  type ResidualManagerType,
  residualManagerTypes,
} from './language/config.js';
export { residualManagersConfigFromOfficial, residualManagerTypeOf } from './language/official-config.js';
export type {
  ResidualManager,
  ResidualManagerConfig,
  ResidualManagerInputs,
  ResidualManagerOptions,
} from './language/residual-manager.js';
export {
  type InjectionHooks,
  type InjectionOptions,
  type InjectionPlace,
  type ManagedSequence,
  ResidualManagers,
} from './language/residual-managers.js';
export { StaticResidualManager } from './language/static-residual-manager.js';
export { type LevelWeights, type LevelWeightTable, weightTable } from './level-weights.js';
export { BridgeFusion } from './two-tower/bridge-fusion.js';
export {
  type BridgeFusionConfig,
  type BridgeFusionConfigInput,
  type ManagerFusionConfig,
  type ManagerFusionConfigInput,
  type MeterFusionConfig,
  type MeterFusionConfigInput,
  parseBridgeFusionConfig,
  parseManagerFusionConfig,
  parseMeterFusionConfig,
} from './two-tower/config.js';
export {
  CrossModalLayer,
  type CrossModalLayerConfig,
  type CrossModalLayerOptions,
} from './two-tower/cross-modal-layer.js';
export { type FusionInputs, type FusionOptions, type FusionOutput, Pooler } from './two-tower/fusion.js';
export {
  ClassificationHead,
  type ClassificationHeadOptions,
  ContrastiveHead,
  ImageTextMatchingHead,
  MaskedLanguageModelHead,
  RankingHead,
} from './two-tower/heads.js';
export {
  type Contrast,
  type ContrastInputs,
  drawNegatives,
  imageTextContrast,
  type MatchingPairs,
  matchingPairs,
} from './two-tower/image-text-contrast.js';
export { LayerGate } from './two-tower/layer-gate.js';
export { annotatorScore, rankingLoss, visualQuestionAnsweringLoss } from './two-tower/losses.js';
export { ManagerFusion } from './two-tower/manager-fusion.js';
export { AdaptiveUnimodalManager } from './two-tower/managers/adaptive-unimodal-manager.js';
export { ConcatAttentionManager } from './two-tower/managers/concat-attention-manager.js';
export {
  type ManagerConfig,
  type ManagerConfigInput,
  type ManagerType,
  managerTypes,
  parseManagerConfig,
} from './two-tower/managers/config.js';
export { createManager } from './two-tower/managers/create-manager.js';
export { CrossAttentionManager } from './two-tower/managers/cross-attention-manager.js';
export type {
  Manager,
  ManagerForwardOptions,
  ManagerInputs,
  ManagerWeights,
} from './two-tower/managers/manager.js';
export { StaticManager } from './two-tower/managers/static-manager.js';
export { StaticUnimodalManager } from './two-tower/managers/static-unimodal-manager.js';
export { MeterFusion } from './two-tower/meter-fusion.js';
export { type MaskTokensOptions, maskTokens, matchingImages } from './two-tower/training-inputs.js';
