export { type Answerer, type AnswerOptions, createAnswerer } from './answer.js';
export {
  type AnyAspectOptions,
  anyAspectImageProcessor,
  prepareAnyAspect,
  visualTokensOfImage,
} from './any-aspect.js';
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
export { createManagedAnswerer, type ManagedAnswerer } from './managed/answer-managed.js';
export { type ManagedVisionLanguageBatch, toManagedTensors } from './managed/batch.js';
export type { ManagedDecoderConfig, ManagedVisionLanguageConfig } from './managed/config.js';
export { managedDecoderKeyMap, managedModelKeyMap } from './managed/key-map.js';
export { LevelAlignment } from './managed/level-alignment.js';
export { ManagedDecoder, type ManagedDecoderOptions, type ManagedInput } from './managed/managed-decoder.js';
export { ManagedVisionLanguageModel } from './managed/managed-model.js';
export { type ManagedBatch, type ManagedBatchOptions, planManagedBatch, type QuestionOptions } from './managed/plan.js';
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
export { type LoadMoaiOptions, loadMoai, moaiConfigFromHuggingFace } from './moai/moai-files.js';
export { type AuxInput, type MoaiBatch, MoaiModel } from './moai/moai-model.js';
export { type OnnxVisionModel, type OnnxVisionOptions, onnxVisionModels } from './moai/onnx-models.js';
export type { ChannelOrder, OnnxFile } from './moai/onnx-program.js';
export { type OnnxTextReaderOptions, onnxTextReader } from './moai/onnx-text-reader.js';
export { type MoaiSample, moaiImageProcessor, type PrepareMoaiOptions, prepareMoai } from './moai/prepare-moai.js';
export { type LoadModelOptions, loadModel, type SaveModelOptions, saveModel, type TensorNames } from './model-files.js';
export {
  type AssembledModel,
  createModelOf,
  type ModelKind,
  type ModelOf,
  modelKindOf,
  modelKinds,
} from './model-kinds.js';
export { PatchClassifier } from './pretraining/patch-classifier.js';
export { type PatchLabels, patchClasses, patchLabels } from './pretraining/patch-labels.js';
export type { FittedProjectorConfigInput } from './projection.js';
export { createPublished } from './published/create-published.js';
export { modelParts } from './published/model-parts.js';
export type {
  PublishedArchitecture,
  PublishedFigure,
  PublishedStage,
  PublishedSystem,
  PublishedVariant,
} from './published/published-variant.js';
export { type PublishedSystemName, publishedSystems } from './published/systems.js';
export { type AppliedGroup, applyStage } from './stages/apply-stage.js';
export {
  type ConvLlavaProtocol,
  type ConvLlavaTrainingOptions,
  convLlavaTrainingStages,
} from './stages/convllava.js';
export { type ConvLlavaVisionOptions, convLlavaVision, startFromFewerStages } from './stages/convllava-vision.js';
export {
  type EagleExpert,
  type EaglePreAlignmentOptions,
  type EagleTrainingOptions,
  eagleMixtures,
  eaglePreAlignmentStages,
  eagleStartingWeights,
  eagleTrainingStages,
  preAlignedExperts,
} from './stages/eagle.js';
export { type HoneybeeTrainingOptions, honeybeeTrainingStages } from './stages/honeybee.js';
export { type LlavaOvManagerTrainingOptions, llavaOvManagerTrainingStages } from './stages/llava-ov-manager.js';
export { type MoaiTrainingOptions, moaiTrainingStages } from './stages/moai.js';
export {
  type AlignedExperts,
  assembleExperts,
  type MixtureModelConfig,
  preAlignmentConfig,
} from './stages/pre-alignment.js';
export {
  type ExpertSearch,
  type ExpertSearchOptions,
  type ScoredExperts,
  type SearchRound,
  searchExperts,
} from './stages/search-experts.js';
export { publishedGrid, type StageImageSettings, stageImages } from './stages/stage-images.js';
export { stageSteps, type TrainerStage, type TrainerStageOptions, trainerStage } from './stages/trainer-stage.js';
export type {
  StageData,
  StageGroup,
  StageImages,
  StageSchedule,
  TrainingStage,
} from './stages/training-stage.js';
export { adaptTwoTower, type TwoTowerChanges } from './two-tower/adapt.js';
export type { TwoTowerConfig, TwoTowerHeads, TwoTowerHeadsInput } from './two-tower/config.js';
export { twoTowerKeyMap } from './two-tower/key-map.js';
export { loadTwoTower } from './two-tower/model-files.js';
export {
  answerLogits,
  entailmentLogits,
  imageTextMatchingLoss,
  maskedLanguageModelLoss,
  matchingScores,
  type RankingInputs,
  type RetrievalLosses,
  rankingLoss,
  rankingScores,
  reasoningLogits,
  retrievalLosses,
  visualQuestionAnsweringLoss,
} from './two-tower/objectives.js';
export {
  type TwoTowerParameterOptions,
  type TwoTowerParameterRules,
  twoTowerOptimization,
  twoTowerParameterRules,
} from './two-tower/parameter-groups.js';
export { twoTowerConfigs, twoTowerTasks } from './two-tower/published-configs.js';
export {
  type TowerStates,
  type TwoTowerInputs,
  TwoTowerModel,
  type TwoTowerOptions,
} from './two-tower/two-tower-model.js';
export { createVision, type FeatureShape, featureShape, type VisionConfig, type VisionConfigInput } from './vision.js';
export { VisionLanguageModel, type VisionLanguageOptions } from './vision-language-model.js';
