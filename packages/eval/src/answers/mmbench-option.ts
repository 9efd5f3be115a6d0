import { splitWords } from '../text/python-text.js';

/** Options of a question by their letters. */
export type OptionTexts = Readonly<Record<string, string>>;

const letters = ['A', 'B', 'C', 'D', 'E'];

/** What stands around a letter, in the order in which it is looked for. */
const affixes: readonly (readonly [before: string, behind: string])[] = [
  ['', '.'],
  ['', ','],
  ['', ':'],
  ['', ')'],
  ['', ').'],
  ['(', ')'],
  ['(', ').'],
  [':', ''],
  [':', ','],
  [':', '.'],
  [':', ')'],
  [':', ').'],
];

/** What the evaluator writes where a model could not be asked. */
export const failedAnswer = 'Failed to obtain answer via API';

/**
 * The letter that an answer names, by MMBench's rule: the one of A to E (always five, whatever the question) that is a
 * word, then the one with a mark around it. `A` among more than three words may be an article and is not taken.
 *
 * Source: `mmbench_evals.py` of lmms-eval, `eval_mmb_gpt.py` of Honeybee.
 */
export function inferMmbenchLetter(answer: string): string | undefined {
  if (answer.includes(failedAnswer)) return undefined;
  const list = splitWords(answer);
  const words = new Set(list);
  const bare = letters.filter((letter) => words.has(letter));
  if (bare.length === 1 && !(words.has('A') && list.length > 3)) return bare[0];
  for (const [before, behind] of affixes) {
    const found = letters.filter((letter) => words.has(before + letter + behind));
    if (found.length === 1) return found[0];
  }
  return undefined;
}

/** The option of A to D whose text, in any case, is the only one that an answer contains; empty texts are in every one. */
export function inferMmbenchText(answer: string, options: OptionTexts): string | undefined {
  const lower = answer.toLowerCase();
  const found = Object.keys(options).filter(
    (letter) => 'ABCD'.includes(letter) && lower.includes(options[letter]!.toLowerCase()),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** The option that an answer names by its letter, or else by its text. */
export function inferMmbenchOption(answer: string, options: OptionTexts): string | undefined {
  return inferMmbenchLetter(answer) ?? inferMmbenchText(answer, options);
}
