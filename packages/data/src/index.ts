export { DataError, type DataErrorDetails } from './data-error.js';
export {
  augmentImage,
  type CropWindow,
  drawCrop,
  randAugment,
} from './image/augment/augment-image.js';
export * from './image/augment/augmentation.js';
export type { AugmentArithmetic } from './image/augment/colour-operations.js';
export * from './image/augment/operations.js';
export * from './image/canvas.js';
export * from './image/decode.js';
export * from './image/hugging-face-processor.js';
export * from './image/image-error.js';
export * from './image/image-processor.js';
export * from './image/pix2struct.js';
export * from './image/preprocess.js';
export { RESAMPLE_FILTERS, type ResampleFilter } from './image/resample-filter.js';
export * from './image/resize.js';
export {
  type ImageSize,
  MAXIMUM_PIXELS,
  type RgbColour,
  type RgbImage,
  solidImage,
} from './image/rgb-image.js';
export * from './image/tiles.js';
export { captionScene } from './microworld/caption.js';
export { corruptGroundTruth } from './microworld/corrupt-ground-truth.js';
export { MANIFEST_NAME, type MicroworldManifest, type TypeStatistics } from './microworld/dataset-directory.js';
export {
  type GeneratedMicroworld,
  generateMicroworld,
  type MicroworldProgress,
  type MicroworldRunOptions,
} from './microworld/generate-microworld.js';
export {
  type GroundTruth,
  groundTruth,
  segmentMap,
  type TrueChart,
  type TrueObject,
  type TrueText,
} from './microworld/ground-truth.js';
export { listQuestions } from './microworld/list-questions.js';
export { decodeMask, encodeMask, objectMask, type RunLengthMask, shiftMask } from './microworld/mask.js';
export { MicroworldError } from './microworld/microworld-error.js';
export {
  MICROWORLD_SPLITS,
  MICROWORLD_VERSION,
  type MicroworldOptions,
  type MicroworldOptionsInput,
  type MicroworldSplit,
  microworldHash,
  microworldOptions,
  microworldOptionsSchema,
  SHORT_ANSWER_INSTRUCTION,
} from './microworld/microworld-options.js';
export {
  COLOURS,
  type Colour,
  OBJECT_SIZES,
  type ObjectSize,
  PREDICATES,
  type Predicate,
  REGIONS,
  type Region,
  SHAPES,
  type Shape,
  WORDS,
} from './microworld/names.js';
export { POPE_CATEGORIES, type PopeCategory, type PopeRow } from './microworld/pope-rows.js';
export { type CandidateQuestion, QUESTION_TYPES, type Question, type QuestionType } from './microworld/question.js';
export { type MicroworldSample, readMicroworldManifest, readMicroworldSplit } from './microworld/read-microworld.js';
export type { ConversationRecord, ConversationTurn } from './microworld/records.js';
export type { RefcocoRow } from './microworld/refcoco-rows.js';
export { type Relation, relationsOf } from './microworld/relations.js';
export { rasterise, renderSceneSvg } from './microworld/render-scene.js';
export { sampleScene } from './microworld/sample-scene.js';
export {
  type Box,
  CANVAS,
  type Scene,
  type SceneBar,
  type SceneChart,
  type SceneObject,
  type SceneText,
} from './microworld/scene.js';
export {
  type SceneOptions,
  type SceneOptionsInput,
  sceneOptions,
  sceneOptionsSchema,
} from './microworld/scene-options.js';
export * from './random.js';
export * from './sequences.js';
