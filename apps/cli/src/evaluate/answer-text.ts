import type { ConversationTemplate, Tokenizer } from '@ocelli/data';

/** What generated tokens say, up to the template's mark for the end of an answer. */
export function answerText(
  tokens: readonly number[],
  tokenizer: Tokenizer,
  { answerSuffix }: ConversationTemplate,
): string {
  // Published models pad their tables with rows that stand for no text.
  const known = tokens.filter((token) => tokenizer.idToToken(token) !== undefined);
  const text = tokenizer.decode(known, { skipSpecialTokens: true }).trimStart();
  const end = answerSuffix === '' ? -1 : text.indexOf(answerSuffix);
  return (end < 0 ? text : text.slice(0, end)).trim();
}
