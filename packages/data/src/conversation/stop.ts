import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { type ConversationTemplate, getTemplate, type TemplateName } from './template.js';

/** What ends a generated answer. */
export interface AnswerStop {
  /** Ids of tokens, of which any ends it. */
  readonly tokenIds: readonly number[];
  /** Texts that no single token stands for; an answer ends where one begins. */
  readonly strings: readonly string[];
}

/**
 * What ends an answer in a template: the tokenizer's end of sequence, and the template's own marks, as tokens where the
 * vocabulary has them.
 */
export function answerStop(
  template: TemplateName | ConversationTemplate,
  tokenizer: Pick<Tokenizer, 'tokenToId' | 'eosTokenId'>,
): AnswerStop {
  const { stop = [] } = getTemplate(template);
  const ids = stop.map((text) => tokenizer.tokenToId(text));
  const known = [tokenizer.eosTokenId, ...ids].filter((id) => id !== undefined);
  return { tokenIds: [...new Set(known)], strings: stop.filter((_, index) => ids[index] === undefined) };
}
