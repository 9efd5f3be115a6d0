import type { RowContext } from './logits-processor.js';
import { decodeFunction, type TokenDecoder } from './text-stream.js';

/**
 * Decides after every token whether rows end: all of them, or each by itself. It sees the rows of the whole batch, those
 * that have ended included, as they were then.
 */
export type StoppingCriterion = (rows: readonly RowContext[]) => boolean | readonly boolean[];

/**
 * Ends rows whose text has a stop string that ends inside the last token, as Hugging Face's `StopStringCriteria` does:
 * it may begin in an earlier token, and the last one may go on behind it.
 */
export function stopStringCriterion(decoder: TokenDecoder, stopStrings: readonly string[]): StoppingCriterion {
  const decode = decodeFunction(decoder);
  // Tokens have a byte at least, and the first one of a text may lose a space.
  const tail = Math.max(0, ...stopStrings.map((text) => new TextEncoder().encode(text).length)) + 1;
  return (rows) =>
    rows.map(({ ids, promptLength }) => {
      const last = ids.slice(Math.max(promptLength, ids.length - tail));
      const text = decode(last);
      // Half a character at its end is no text yet.
      const known = decode(last.slice(0, -1)).replace(/\uFFFD+$/, '').length;
      return stopStrings.some((stop) => text.indexOf(stop, Math.max(0, known - stop.length + 1)) >= 0);
    });
}

/** A text that ends an answer, as text and as ids. */
export interface Keyword {
  readonly text: string;
  /** As the tokenizer gives them, without a begin of sequence. */
  readonly ids: readonly number[];
}

/**
 * Ends all rows when each of them ends with a keyword's ids, or has a keyword in the text of its newest tokens, as many
 * as the longest keyword has. Source: `KeywordsStoppingCriteria` of LLaVA's `mm_utils.py`.
 */
export function keywordsCriterion(decoder: TokenDecoder, keywords: readonly Keyword[]): StoppingCriterion {
  const decode = decodeFunction(decoder);
  const longest = Math.max(0, ...keywords.map(({ ids }) => ids.length));
  const hasKeyword = ({ ids, promptLength }: RowContext): boolean => {
    const endsWith = (keyword: readonly number[]) =>
      keyword.length > 0 && keyword.every((id, index) => ids[ids.length - keyword.length + index] === id);
    if (keywords.some((keyword) => endsWith(keyword.ids))) return true;
    const text = decode(ids.slice(Math.max(promptLength, ids.length - longest)));
    return keywords.some((keyword) => text.includes(keyword.text));
  };
  return (rows) => rows.every(hasKeyword);
}

/** Which rows the criteria end. */
export function stoppedRows(criteria: readonly StoppingCriterion[], rows: readonly RowContext[]): boolean[] {
  const decisions = criteria.map((criterion) => criterion(rows));
  return rows.map((_, row) => decisions.some((decision) => (typeof decision === 'boolean' ? decision : decision[row])));
}
