import {
  type Conversation,
  type ConversationTemplate,
  conversationDataset,
  createLoader,
  type ImageProcessor,
  squashImageProcessor,
  type Tokenizer,
} from '@ocelli/data';
import { isExactMatch, type ScoredQuestion } from '@ocelli/eval';
import { createAnswerer, toTensors, type VisionLanguageModel } from '@ocelli/vlm';
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
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/**
 * Asks a model every question and scores the answers. Answers are greedy.
 *
 * @throws LoaderError for an image that cannot be read, CollationError for a prompt that is too long; they name the
 *   sample.
 */
export async function answerQuestions(
  model: VisionLanguageModel,
  questions: readonly Question[],
  { tokenizer, template, maximumLength, imageProcessor, signal, onProgress }: AnswerQuestionsOptions,
): Promise<ScoredQuestion[]> {
  const conversations = questions.map(({ id, conversation }) => ({ ...conversation, id }));
  const loader = createLoader(conversationDataset('questions', conversations), {
    tokenizer,
    template,
    imageProcessor: imageProcessor ?? squashImageProcessor(model.imageSize),
    batchSize,
    visualTokensPerImage: model.visualTokensPerImage,
    maximumLength,
    buckets: 64,
    purpose: 'generation',
    shuffle: false,
    epochs: 1,
    dropLast: false,
    ...(signal && { signal }),
  });
  const answer = createAnswerer(model);
  const maxNewTokens = longestAnswer(questions, tokenizer, template) + spareTokens;
  const scored: ScoredQuestion[] = [];
  for await (const batch of loader) {
    const rows = await answer(toTensors(batch), { maxNewTokens, eosTokenId: tokenizer.eosTokenId! });
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
