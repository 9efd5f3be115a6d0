import { compile } from '@ocelli/core-tensor';
import { type GeneratedRow, generate } from '@ocelli/language';
import type { VisionLanguageBatch } from './batch.js';
import type { VisionLanguageModel } from './vision-language-model.js';

export interface AnswerOptions {
  /** Tokens of an answer at most. */
  readonly maxNewTokens: number;
  /** An answer ends with this token, or any of these. */
  readonly eosTokenId: number | readonly number[];
}

/** Answers the prompts of a batch, padded on the left. */
export type Answerer = (batch: VisionLanguageBatch, options: AnswerOptions) => Promise<GeneratedRow[]>;

/**
 * Greedy answers of a model. Keep the function: it holds the compiled programs, one per shape of batch.
 */
export function createAnswerer(model: VisionLanguageModel): Answerer {
  const embed = compile((batch: VisionLanguageBatch) => model.embed(batch));
  return async (batch, { maxNewTokens, eosTokenId }) => {
    const inputsEmbeds = await embed(batch);
    return generate(model.language, { inputsEmbeds, attentionMask: batch.attentionMask, maxNewTokens, eosTokenId });
  };
}
