export {
  type MoaiCompressorConfig,
  type MoaiCompressorConfigInput,
  parseMoaiCompressorConfig,
} from './compressor/config.js';
export { type CompressOptions, MoaiCompressor } from './compressor/moai-compressor.js';
export { decodeCtc, readAlphabet } from './external/ctc.js';
export {
  type DetectionOptions,
  type DetectorOutput,
  detectionsFromQueries,
} from './external/detections-from-queries.js';
export { type PanopticOptions, panopticFromQueries, type SegmenterOutput } from './external/panoptic-from-queries.js';
export type { NumberMap } from './external/resize-bilinear.js';
export {
  type RelatorOutput,
  type SceneGraphOptions,
  sceneGraphFromQueries,
} from './external/scene-graph-from-queries.js';
export { type TextRegion, type TextRegionOptions, textRegionsFromMap } from './external/text-regions.js';
export {
  type MoaiMixerConfig,
  type MoaiMixerConfigInput,
  type MoaiMixersConfig,
  type MoaiMixersConfigInput,
  parseMoaiMixerConfig,
  parseMoaiMixersConfig,
} from './mixer/config.js';
export { MoaiExpert } from './mixer/expert.js';
export { type GateTable, gateTables, type ModalityMasks } from './mixer/gate-table.js';
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
export { type PipelineGeneration, withoutIgnoredIds } from './pipelines/generation.js';
export { type MmbenchRow, mmbenchQuestion } from './pipelines/mmbench-question.js';
export { type MoaiPipeline, type MoaiPipelineName, moaiPipelines, type PipelineItem } from './pipelines/pipelines.js';
export { type PartialLoraConfig, type PartialLoraConfigInput, parsePartialLoraConfig } from './plora/config.js';
export { addPartialLora, PartialLora } from './plora/partial-lora.js';
export {
  type MoaiPrompt,
  type MoaiPromptStyle,
  moaiAnswerText,
  moaiPrompt,
  moaiSystemText,
  readMoaiAnswer,
  readMoaiDemoAnswer,
} from './prompts/prompt.js';
export {
  type TokenizedMoaiPrompt,
  type TokenizePromptOptions,
  tokenizeMoaiPrompt,
} from './prompts/tokenize-prompt.js';
export { type MoaiTrainingPhase, moaiTrainingPhases, startMoaiPhase } from './training/phases.js';
export { type Box, boxText, coordinateText, publishedImageSize, relativeBox } from './verbalization/box-text.js';
export { type DetectionTextOptions, verbalizeDetections } from './verbalization/detection.js';
export {
  type DetectedObject,
  type ExternalVisionModels,
  findAll,
  type PanopticSegmentation,
  publishedVocabularies,
  type ReadLine,
  type SceneGraph,
  type VisionFindings,
  type VisionVocabularies,
} from './verbalization/findings.js';
export {
  type PanopticPixelsOptions,
  panopticImage,
  panopticPixels,
  segmentColour,
} from './verbalization/panoptic-image.js';
export { type ReadingTextOptions, verbalizeLines } from './verbalization/reading.js';
export { type SceneGraphTextOptions, verbalizeSceneGraph } from './verbalization/scene-graph.js';
export { type SegmentationTextOptions, segmentBoxes, verbalizeSegmentation } from './verbalization/segmentation.js';
export {
  joinTexts,
  type VerbalizationPart,
  type VerbalizeOptions,
  verbalizationParts,
  verbalize,
} from './verbalization/verbalize.js';
export {
  ade20kClasses,
  cocoPanopticClasses,
  detectionQueries,
  imagenetClasses,
  panopticPredicates,
} from './vocabularies/index.js';
