import { ConfigError } from '@ocelli/core-tensor';
import {
  type Conversation,
  type ConversationTemplate,
  conversationDataset,
  createLoader,
  type ImageGrid,
  type ImageProcessor,
  squashImageProcessor,
  type Tokenizer,
} from '@ocelli/data';
import { isExactMatch, type ScoredQuestion } from '@ocelli/eval';
import { type AnyAspectOptions, anyAspectImageProcessor, prepareAnyAspect, VisionLanguageModel } from '@ocelli/vlm';
import { answererOf, inputsFor, type ModelInputs, type TrainedModel } from '../train/trained-model.js';
import { answerText } from './answer-text.js';

const batchSize = 64;

/** Tokens of an answer beyond the longest expected one: its end, and one that makes a longer answer wrong. */
const spareTokens = 2;

/** A question with the answer that counts as right. */
export interface Question {
  readonly id: string;
  /** What its score is counted under. */
  readonly type: string;
  /** As people read it, without the places of images. */
  readonly text: string;
  readonly expected: string;
  /** What the model is asked; the user has the last word. */
  readonly conversation: Conversation;
}

export interface AnswerQuestionsOptions {
  readonly tokenizer: Tokenizer;
  readonly template: ConversationTemplate;
  /** Longest prompt, images included. */
  readonly maximumLength: number;
  /** Default: straight to the size of the encoder's images, normalised as CLIP's. */
  readonly imageProcessor?: ImageProcessor | undefined;
  /** How images are cut into tiles. Default: they are not. */
  readonly grid?: ImageGrid | null | undefined;
  /** Keep the aspect ratio of images and give their shortest edge so many pixels. Default: as the processor says. */
  readonly shortestEdge?: number | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Asks a model every question and scores the answers. Answers are greedy.
 *
 * @throws LoaderError for an image that cannot be read, CollationError for a prompt that is too long; they name the
 *   sample.
 */
export async function answerQuestions(
  model: TrainedModel,
  questions: readonly Question[],
  {
    tokenizer,
    template,
    maximumLength,
    imageProcessor,
    grid,
    shortestEdge,
    signal,
    onProgress,
  }: AnswerQuestionsOptions,
): Promise<ScoredQuestion[]> {
  const conversations = questions.map(({ id, conversation }) => ({ ...conversation, id }));
  const processor = imageProcessor ?? squashImageProcessor(model.imageSize);
  if (shortestEdge !== undefined) {
    if (!(model instanceof VisionLanguageModel)) {
      throw new ConfigError({
        operation: 'answer with --shortest-edge',
        expected: 'a model without managers',
        received: 'one with managers, whose levels are squares',
        remedy: 'Leave it out.',
      });
    }
    const options = { template, imageProcessor: anyAspectImageProcessor(processor, shortestEdge), maximumLength };
    const batches = oneByOne(model, conversations, { tokenizer, ...options }, signal);
    return answerBatches(model, batches, questions, { tokenizer, template, onProgress });
  }
  const loader = createLoader(conversationDataset('questions', conversations), {
    tokenizer,
    template,
    imageProcessor: processor,
    batchSize,
    visualTokensPerImage: model.visualTokensPerImage,
    maximumLength,
    buckets: 64,
    purpose: 'generation',
    shuffle: false,
    epochs: 1,
    dropLast: false,
    ...(grid && { grid }),
    ...(signal && { signal }),
  });
  const batches = async function* () {
    const toInputs = inputsFor(model, tokenizer);
    for await (const batch of loader) yield toInputs(batch);
  };
  return answerBatches(model, batches(), questions, { tokenizer, template, onProgress });
}

/** The questions about images of any size, each a batch. */
async function* oneByOne(
  model: VisionLanguageModel,
  conversations: readonly Conversation[],
  options: AnyAspectOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<ModelInputs> {
  for (const conversation of conversations) {
    signal?.throwIfAborted();
    yield await prepareAnyAspect(model, conversation, options);
  }
}

async function answerBatches(
  model: TrainedModel,
  batches: AsyncIterable<ModelInputs>,
  questions: readonly Question[],
  { tokenizer, template, onProgress }: Pick<AnswerQuestionsOptions, 'tokenizer' | 'template' | 'onProgress'>,
): Promise<ScoredQuestion[]> {
  const answer = answererOf(model);
  const maxNewTokens = longestAnswer(questions, tokenizer, template) + spareTokens;
  const scored: ScoredQuestion[] = [];
  for await (const batch of batches) {
    const rows = await answer(batch, { maxNewTokens, eosTokenId: tokenizer.eosTokenId! });
    for (const { tokens } of rows) {
      const { id, type, text, expected } = questions[scored.length]!;
      const said = answerText(tokens, tokenizer, template);
      scored.push({ id, type, question: text, expected, answer: said, correct: isExactMatch(said, expected) });
    }
    onProgress?.(scored.length);
  }
  return scored;
}

/** Tokens of the longest expected answer. */
function longestAnswer(questions: readonly Question[], tokenizer: Tokenizer, template: ConversationTemplate): number {
  const { answerPrefix, answerSuffix } = template;
  const lengthOf = ({ expected }: Question) =>
    tokenizer.encode(answerPrefix + expected + answerSuffix, { addSpecialTokens: false }).length;
  return questions.reduce((longest, question) => Math.max(longest, lengthOf(question)), 0);
}
