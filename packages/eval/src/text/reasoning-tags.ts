import { strip } from './python-text.js';

/** Marks around a model's reasoning. */
export type TagPair = readonly [open: string, close: string];

/** Marks that lmms-eval 0.7.2 knows by default. */
export const reasoningTags: readonly TagPair[] = [
  ['<think>', '</think>'],
  ['<analysis>', '</analysis>'],
];

/**
 * An answer without the reasoning in front of it: what stands between marks goes; of an answer with a closing mark alone
 * what follows the last one stays; an opening mark that is not closed stays with all behind it.
 *
 * Source: lmms-eval 0.7.2 `api/reasoning.py`.
 */
export function stripReasoning(answer: string, tags: readonly TagPair[] = reasoningTags): string {
  return strip(tags.reduce(withoutSpans, answer));
}

function withoutSpans(text: string, [open, close]: TagPair): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf(open, at);
    const end = start < 0 ? -1 : text.indexOf(close, start + open.length);
    if (end < 0) break;
    kept.push(text.slice(at, start));
    at = end + close.length;
  }
  const rest = kept.join('') + text.slice(at);
  return rest.includes(close) && !rest.includes(open) ? rest.slice(rest.lastIndexOf(close) + close.length) : rest;
}
