import { lengthOf } from '../text/python-text.js';

/** What {@link exactMatch} ignores, in the order in which it is taken away. */
export interface ExactMatchOptions {
  /** Parts that are deleted. */
  readonly regexesToIgnore?: readonly RegExp[];
  readonly ignoreCase?: boolean;
  /** The 32 marks of ASCII, with nothing in their place. */
  readonly ignorePunctuation?: boolean;
  /** The digits 0 to 9. */
  readonly ignoreNumbers?: boolean;
}

/** What GQA, AI2D and RealWorldQA ignore in lmms-eval. */
export const looseMatch: ExactMatchOptions = { ignoreCase: true, ignorePunctuation: true };

/** Whether an answer is the expected one (`exact_match` of lmms-eval, `api/metrics.py`); no answer is taken out of a text. */
export function exactMatch(answer: string, expected: string, options: ExactMatchOptions = {}): boolean {
  return reduced(answer, options) === reduced(expected, options);
}

function reduced(text: string, options: ExactMatchOptions): string {
  const { regexesToIgnore = [], ignoreCase, ignorePunctuation, ignoreNumbers } = options;
  let result = regexesToIgnore.reduce(
    (rest, { source, flags }) => rest.replace(new RegExp(source, flags.includes('g') ? flags : `${flags}g`), ''),
    text,
  );
  // The published code lower-cases in an array of fixed width: a text does not become longer, as `İ` otherwise would.
  if (ignoreCase) result = [...result.toLowerCase()].slice(0, lengthOf(result)).join('');
  if (ignorePunctuation) result = result.replace(/[!-/:-@[-`{-~]/g, '');
  return ignoreNumbers ? result.replace(/[0-9]/g, '') : result;
}
