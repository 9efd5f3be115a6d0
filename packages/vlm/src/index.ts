export { type Answerer, type AnswerOptions, createAnswerer } from './answer.js';
export { assembleSequences } from './assemble.js';
export { toTensors, type VisionLanguageBatch } from './batch.js';
export type { VisionLanguageConfig } from './config.js';
export { loadModel, saveModel } from './model-files.js';
export { PatchClassifier } from './pretraining/patch-classifier.js';
export { type PatchLabels, patchClasses, patchLabels } from './pretraining/patch-labels.js';
export { VisionLanguageModel, type VisionLanguageOptions } from './vision-language-model.js';
