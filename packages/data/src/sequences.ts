export type { Batch, BatchShape } from './collate/batch.js';
export { bucketLength, type LengthBuckets } from './collate/buckets.js';
export { type CollateOptions, collate } from './collate/collate.js';
export { CollationError } from './collate/collation-error.js';
export {
  type ImageSpan,
  type SplicedBatch,
  type SpliceOptions,
  type SpliceRow,
  spliceImages,
} from './collate/splice.js';
export { type TokenizeConversationOptions, tokenizeConversation } from './collate/tokenize-conversation.js';
export {
  IGNORE_LABEL,
  type SampleImage,
  type SegmentTokenizer,
  type TokenizedSample,
  type TokenizeOptions,
  tokenizeSegments,
  VISUAL_TOKEN,
} from './collate/tokenize-segments.js';
export type { CollateSample } from './collate/visual-tokens.js';
export { type ChatMessage, type ChatTemplateOptions, renderChatTemplate } from './conversation/chat-template.js';
export {
  type Conversation,
  checkConversation,
  IMAGE_MARKER,
  type Role,
  type Turn,
} from './conversation/conversation.js';
export { ConversationError } from './conversation/conversation-error.js';
export { segmentHoneybeePrompt } from './conversation/honeybee-prompt.js';
export { collapseImages, moveImageToFront } from './conversation/place-images.js';
export {
  parseConversation,
  type ReadConversationsOptions,
  readConversations,
} from './conversation/read-conversations.js';
export { type RenderOptions, renderConversation } from './conversation/render.js';
export {
  type EndSegment,
  type ImageSegment,
  type Segment,
  segmentsToText,
  type TextSegment,
} from './conversation/segment.js';
export { type AnswerStop, answerStop } from './conversation/stop.js';
export {
  type ConversationTemplate,
  conversationTemplateSchema,
  getTemplate,
  TEMPLATES,
  type TemplateName,
} from './conversation/template.js';
export { GridError } from './grids/grid-error.js';
export {
  type ContentBox,
  type FeatureGrid,
  fitOnCanvas,
  type GridLayout,
  gridLayout,
  limitGrid,
  type UnpaddedGrid,
  unpadGrid,
} from './grids/grid-layout.js';
export {
  type ImageGrid,
  type ImageGridConfig,
  type ImageGridKeys,
  imageGrid,
  imageGridFromConfig,
  imageGridSchema,
  PUBLISHED_GRIDS,
} from './grids/image-grid.js';
export { parsePinpoints } from './grids/pinpoints.js';
export {
  type GridTokenOptions,
  type GridTokenPlan,
  planGridTokens,
  type SingleTile,
} from './grids/plan-grid-tokens.js';
export { selectBestResolution } from './grids/select-best-resolution.js';
export { boxText } from './honeybee/box-text.js';
export { type Draws, drawsOf } from './honeybee/draws.js';
export { type ExampleValues, patternPrompt, patternTurns } from './honeybee/fill-pattern.js';
export {
  type Deduplication,
  type ExampleGroup,
  groupExamples,
  type ImageExample,
  type TaskExample,
} from './honeybee/group-examples.js';
export { INSTRUCTION_PATTERNS, type InstructionPattern, type PatternName } from './honeybee/instruction-patterns.js';
export { scienceQaExamples } from './honeybee/multiple-choice.js';
export { listOptions, type OptionListSettings } from './honeybee/option-list.js';
export { type TaskConfigInput, taskConfigSchema } from './honeybee/task-config.js';
export { readTaskDataset } from './honeybee/task-dataset.js';
export { publishedAttentionMask } from './labels/attention-mask.js';
export { encodeImagePrompt, IMAGE_TOKEN } from './labels/image-prompt.js';
export { LABEL_RULES, type LabelRule, type LabelRuleName } from './labels/label-rules.js';
export {
  type LabelledSample,
  type LabelTokenizer,
  type PublishedLabelOptions,
  publishedLabels,
} from './labels/published-labels.js';
export { conversationDataset, type Dataset, type Mixture, mixDatasets, modalityLength } from './loader/dataset.js';
export { type GroupByLengthOptions, groupByLength } from './loader/group-by-length.js';
export { createLoader, type Loader } from './loader/loader.js';
export { LoaderError } from './loader/loader-error.js';
export type { LoaderOptions } from './loader/loader-options.js';
export type { LoaderState } from './loader/loader-state.js';
export { isSampleSelection, joinDatasets, type SampleSelection, selectSamples } from './loader/select-samples.js';
export {
  type BuildTokenizerOptions,
  buildTokenizer,
  DEFAULT_SPECIAL_TOKENS,
  type SpecialTokens,
} from './tokenizer/build-tokenizer.js';
export { readTokenizerFiles } from './tokenizer/read-tokenizer-files.js';
export {
  createTokenizer,
  type DecodeOptions,
  type EncodeOptions,
  loadTokenizer,
  type Tokenizer,
} from './tokenizer/tokenizer.js';
export { TokenizerError } from './tokenizer/tokenizer-error.js';
export {
  type SpecialTokenName,
  saveTokenizer,
  type TokenizerConfigJson,
  type TokenizerFiles,
  type TokenizerJson,
} from './tokenizer/tokenizer-files.js';
