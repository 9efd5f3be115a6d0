export { type Answerer, type AnswerOptions, createAnswerer } from './answer.js';
export { assembleSequences } from './assemble.js';
export { toTensors, type VisionLanguageBatch } from './batch.js';
export type { ResolvedVisionLanguageConfig, VisionLanguageConfig } from './config.js';
export { arrangeGridTokens, type GridTokens, gridTensors } from './grid-tokens.js';
export {
  type LlavaHrTowerConfig,
  type LlavaHrTowerConfigInput,
  parseLlavaHrTowerConfig,
} from './llava-hr/config.js';
export { llavaHrKeyMap } from './llava-hr/key-map.js';
export { LlavaHrTower } from './llava-hr/llava-hr-tower.js';
export type { ManagedDecoderConfig, ManagedVisionLanguageConfig } from './managed/config.js';
export { managedDecoderKeyMap, managedModelKeyMap } from './managed/key-map.js';
export { ManagedDecoder, type ManagedDecoderOptions, type ManagedInput } from './managed/managed-decoder.js';
export { ManagedVisionLanguageModel } from './managed/managed-model.js';
export { type ManagedBatch, type ManagedBatchOptions, planManagedBatch } from './managed/plan.js';
export { managedModelConfigs } from './managed/published-configs.js';
export type { EncoderMixtureConfig, EncoderMixtureConfigInput } from './mixture/config.js';
export { type EagleMixtureOptions, eagleMixtureConfig, eagleTowers } from './mixture/eagle.js';
export { EncoderMixture } from './mixture/encoder-mixture.js';
export type { ExpertConfig } from './mixture/expert.js';
export { eagleMixtureKeyMap } from './mixture/key-map.js';
export { createMoaiAnswerer, type MoaiAnswerer } from './moai/answer-moai.js';
export {
  type MoaiConfig,
  type MoaiConfigInput,
  type MoaiDecoderConfig,
  type MoaiDecoderConfigInput,
  parseMoaiConfig,
  parseMoaiDecoderConfig,
} from './moai/config.js';
export { moaiDecoderKeyMap, moaiKeyMap } from './moai/key-map.js';
export { type MergedPrompts, type MergeInput, type MergeOptions, mergeImageTokens } from './moai/merge.js';
export {
  type MicroworldModelsOptions,
  microworldVisionModels,
  microworldVocabularies,
} from './moai/microworld-models.js';
export { MoaiDecoder, type MoaiPassOptions, type MoaiSequence } from './moai/moai-decoder.js';
export { type LoadMoaiOptions, loadMoai, moaiConfigFromHuggingFace, saveMoai } from './moai/moai-files.js';
export { type AuxInput, type MoaiBatch, MoaiModel, MoaiProjector } from './moai/moai-model.js';
export { type OnnxVisionModel, type OnnxVisionOptions, onnxVisionModels } from './moai/onnx-models.js';
export { type MoaiSample, moaiImageProcessor, type PrepareMoaiOptions, prepareMoai } from './moai/prepare-moai.js';
export { loadModel, saveModel } from './model-files.js';
export { PatchClassifier } from './pretraining/patch-classifier.js';
export { type PatchLabels, patchClasses, patchLabels } from './pretraining/patch-labels.js';
export { adaptTwoTower, type TwoTowerChanges } from './two-tower/adapt.js';
export type { TwoTowerConfig, TwoTowerHeads, TwoTowerHeadsInput } from './two-tower/config.js';
export { twoTowerKeyMap } from './two-tower/key-map.js';
export { loadTwoTower, saveTwoTower } from './two-tower/model-files.js';
export {
  answerLogits,
  entailmentLogits,
  imageTextMatchingLoss,
  maskedLanguageModelLoss,
  matchingScores,
  type RetrievalLosses,
  reasoningLogits,
  retrievalLosses,
  visualQuestionAnsweringLoss,
} from './two-tower/objectives.js';
export { twoTowerConfigs, twoTowerTasks } from './two-tower/published-configs.js';
export {
  type TowerStates,
  type TwoTowerInputs,
  TwoTowerModel,
  type TwoTowerOptions,
} from './two-tower/two-tower-model.js';
export { createVision, type FeatureShape, featureShape, type VisionConfig, type VisionConfigInput } from './vision.js';
export { VisionLanguageModel, type VisionLanguageOptions } from './vision-language-model.js';
