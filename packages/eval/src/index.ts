export { type BoxCorners, parseBracketedBox } from './answers/box.js';
export { parseDecimalBox, parseGroundingBoxes } from './answers/grounding-boxes.js';
export * from './answers/mathvista.js';
export { isMathVistaKitCorrect, type MathVistaKitRow, prefetchMathVista } from './answers/mathvista-kit.js';
export { extractMcqAnswer } from './answers/mcq-answer.js';
export {
  inferMmbenchLetter,
  inferMmbenchOption,
  inferMmbenchText,
  type OptionTexts,
} from './answers/mmbench-option.js';
export { type MmmuChoiceRule, parseMmmuChoice } from './answers/mmmu-choice.js';
export { isMmmuOpenCorrect, normalizeMmmuText, parseMmmuOpen } from './answers/mmmu-open.js';
export { filterRealWorldQa, isRealWorldQaCorrect } from './answers/realworldqa.js';
export {
  inferVlmEvalKitLetter,
  inferVlmEvalKitOption,
  inferVlmEvalKitText,
  type VlmEvalKitVersion,
} from './answers/vlmevalkit-option.js';
export * from './answers/yes-no.js';
export { BenchmarkError, type BenchmarkErrorDetails } from './benchmark-error.js';
export * from './benchmarks/ai2d.js';
export * from './benchmarks/answer-files.js';
export * from './benchmarks/detail-caption.js';
export * from './benchmarks/hallusion-bench.js';
export * from './benchmarks/live-bench.js';
export * from './benchmarks/llava-bench.js';
export * from './benchmarks/math-vista.js';
export * from './benchmarks/mm-star.js';
export * from './benchmarks/mm-vet.js';
export * from './benchmarks/mmbench.js';
export * from './benchmarks/mme.js';
export * from './benchmarks/ocr-bench.js';
export * from './benchmarks/pope.js';
export * from './benchmarks/q-bench.js';
export * from './benchmarks/refcoco.js';
export {
  type GroundingBox,
  groundingBox,
  type RefcocoRecQuestion,
  type RefcocoRecRow,
  type RefcocoRecScore,
  type RefcocoRegion,
  refcocoRecQuestions,
  refcocoThresholds,
  scoreRefcocoRec,
} from './benchmarks/refcoco-rec.js';
export * from './benchmarks/science-qa.js';
export * from './benchmarks/seed-bench.js';
export * from './benchmarks/submissions.js';
export * from './benchmarks/text-vqa.js';
export * from './benchmarks/vqa-v2.js';
export * from './benchmarks/vqa-v2-labels.js';
export * from './metrics/anls.js';
export * from './metrics/binary-classification.js';
export * from './metrics/box-overlap.js';
export * from './metrics/captions.js';
export * from './metrics/classifier.js';
export * from './metrics/comparison.js';
export * from './metrics/exact-match.js';
export * from './metrics/relaxed-accuracy.js';
export * from './metrics/retrieval.js';
export type { Share } from './metrics/share.js';
export * from './metrics/statistics.js';
export { vqaAccuracy } from './metrics/vqa-accuracy.js';
export { type HoneybeeMmbenchItem, honeybeeMmbenchOptions, honeybeePrompts } from './prompts/honeybee.js';
export * from './prompts/mathvista.js';
export {
  type Accuracy,
  accuracyByType,
  type ConstantBaseline,
  constantBaseline,
  meanAndDeviation,
} from './scoring/accuracy.js';
export { isExactMatch, normalizeAnswer, type ScoredQuestion } from './scoring/answers.js';
export { eagleAverage, eagleBenchmarks } from './scoring/eagle-average.js';
export { editDistance } from './text/edit-distance.js';
export { parsePythonStrings } from './text/python-literal.js';
export { reasoningTags, stripReasoning, type TagPair } from './text/reasoning-tags.js';
export {
  normalizeVqaAnswer,
  normalizeVqaWords,
  stripVqaPunctuation,
  tokenizeVqaAnswer,
  type VqaNormalizer,
} from './text/vqa-answer.js';
export type { UnparsedOptions } from './unparsed.js';
