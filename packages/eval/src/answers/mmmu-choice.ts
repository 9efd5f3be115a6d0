import { splitWords, stripCharacters } from '../text/python-text.js';
import type { OptionTexts } from './mmbench-option.js';

/**
 * Whose rule reads the letter of a question of MMMU or Q-Bench.
 * - `official`: the authors': `(A)`, else ` A ` as a word, else an option's text in an answer of more than five words.
 * - `lmms-eval`: `A ` needs no blank in front, and `A.` is looked for, too.
 */
export type MmmuChoiceRule = 'official' | 'lmms-eval';

/**
 * The letter that an answer names; of several the one that comes last. Undefined where it names none: the published code
 * then draws a letter, which here is the caller's to do.
 *
 * Source: `eval_utils.py` of MMMU-Benchmark/MMMU; `tasks/mmmu/utils.py` of lmms-eval.
 */
export function parseMmmuChoice(
  answer: string,
  options: OptionTexts,
  rule: MmmuChoiceRule = 'official',
): string | undefined {
  const stripped = [...",.!?;:'"].reduce(stripCharacters, answer);
  const text = ` ${stripped} `;
  const lower = text.toLowerCase();
  const letters = Object.keys(options);
  const bracketed = letters.filter((letter) => text.includes(`(${letter})`));
  if (bracketed.length > 0) return last(bracketed, (letter) => text.lastIndexOf(`(${letter})`));
  const place = (letter: string) => text.lastIndexOf(` ${letter} `);
  const marks =
    rule === 'official'
      ? [(letter: string) => ` ${letter} `]
      : [(letter: string) => `${letter} `, (letter: string) => `${letter}.`];
  for (const mark of marks) {
    const found = letters.filter((letter) => text.includes(mark(letter)));
    if (found.length > 0) return last(found, place);
  }
  if (splitWords(text).length <= 5) return undefined;
  const named = letters.filter((letter) => lower.includes(options[letter]!.toLowerCase()));
  return last(named, (letter) => lower.lastIndexOf(options[letter]!.toLowerCase()));
}

/** The one with the largest place, the first of equal ones. */
function last(letters: readonly string[], place: (letter: string) => number): string | undefined {
  return letters.reduce<string | undefined>(
    (best, letter) => (best === undefined || place(letter) > place(best) ? letter : best),
    undefined,
  );
}
