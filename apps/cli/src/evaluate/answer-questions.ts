import { type Conversation, conversationDataset, createLoader, type MicroworldSample, squashImageProcessor, type Tokenizer } from '@ocelli/data';
import { isExactMatch, type ScoredQuestion } from '@ocelli/eval';
import { createAnswerer, toTensors, type VisionLanguageModel } from '@ocelli/vlm';
import type { Scale } from '../recipe/schema.js';

/** Tokens of an answer; the longest, "bottom right", has three or four. */
const maxNewTokens = 6;

const batchSize = 64;

export interface AnswerQuestionsOptions extends Pick<Scale, 'template'> {
  readonly tokenizer: Tokenizer;
  readonly signal?: AbortSignal;
}

/** Asks a model every question about pictures, one at a time, and scores the answers. */
export async function answerQuestions(
  model: VisionLanguageModel,
  samples: readonly MicroworldSample[],
  { template, tokenizer, signal }: AnswerQuestionsOptions,
): Promise<ScoredQuestion[]> {
  const questions = new Map<string, MicroworldSample['questions'][number] & { readonly image: string }>(
    samples.flatMap((sample) => sample.questions.map((question, turn) => [`${sample.id}#${turn}`, { ...question, image: sample.image }] as const)),
  );
  const conversations = [...questions].map(
    ([id, { text, image }]): Conversation => ({ id, images: [image], turns: [{ role: 'user', text: `<image>\n${text}` }] }),
  );
  const loader = createLoader(conversationDataset('questions', conversations), {
    tokenizer,
    template,
    imageProcessor: squashImageProcessor(model.vision.config.imageSize),
    batchSize,
    visualTokensPerImage: model.visualTokensPerImage,
    maximumLength: 1024,
    buckets: 64,
    purpose: 'generation',
    shuffle: false,
    epochs: 1,
    dropLast: false,
    ...(signal && { signal }),
  });
  const answer = createAnswerer(model);
  const scored: ScoredQuestion[] = [];
  for await (const batch of loader) {
    const rows = await answer(toTensors(batch), { maxNewTokens, eosTokenId: tokenizer.eosTokenId! });
    rows.forEach(({ tokens }, row) => {
      const id = batch.sampleIds[row]!;
      const { type, text, answer: expected } = questions.get(id)!;
      const said = tokenizer.decode([...tokens], { skipSpecialTokens: true }).trim();
      scored.push({ id, type, question: text, expected, answer: said, correct: isExactMatch(said, expected) });
    });
  }
  return scored;
}
