import { requireRows } from '../benchmark-error.js';
import { type Share, shareOf } from '../metrics/share.js';
import { strip } from '../text/python-text.js';
import { drawOption, type UnparsedOptions } from '../unparsed.js';

const letters = ['A', 'B', 'C', 'D', 'E'];

/**
 * How an answer to ScienceQA is read.
 * - `llava`: LLaVA's script, also Eagle's and MoAI's: the answer is a letter, or begins with `A. `, or says once
 *   `The answer is A.`
 * - `honeybee`: without brackets and full stops a single character, else the last choice whose text the answer contains.
 * - `lmms-0.7.2`: the answer is a letter, in any case, or begins with a capital letter and a full stop.
 * - `lmms-0.2.4`: the answer is a letter, in any case; the rest of that rule never applies, the answer being in lower
 *   case when it is tried.
 */
export type ScienceQaRule = 'llava' | 'honeybee' | 'lmms-0.2.4' | 'lmms-0.7.2';

/** The letter that an answer names, see {@link ScienceQaRule}; it may be none of the question's. */
export function parseScienceQa(
  answer: string,
  choices: readonly string[],
  rule: ScienceQaRule = 'llava',
): string | undefined {
  if (rule === 'honeybee') {
    const text = answer.replace(/[().]/g, '');
    if ([...text.slice(0, 3)].length === 1) return text;
    return letters[choices.findLastIndex((choice) => text.includes(choice))];
  }
  const text = strip(answer);
  if (rule === 'lmms-0.2.4' || rule === 'lmms-0.7.2') {
    const start = rule === 'lmms-0.7.2' ? /^[A-Z](?=\.)/.exec(text)?.[0] : undefined;
    return /^[a-z]$/i.test(text) ? text.toUpperCase() : start;
  }
  if (letters.includes(text)) return text;
  if (letters.includes(text[0] ?? '') && text.slice(1, 3) === '. ') return text[0];
  const said = [...text.matchAll(/The answer is ([A-Z])[^\n]/g)];
  return said.length === 1 ? said[0]![1] : undefined;
}

/** A question of ScienceQA and what a model answered. */
export interface ScienceQaRow {
  readonly choices: readonly string[];
  /** Number of the right choice, from 0. */
  readonly label: number;
  readonly answer: string;
  /** Whether the question has an image. */
  readonly hasImage: boolean;
}

/** Options of {@link scoreScienceQa}. */
export interface ScoreScienceQaOptions extends UnparsedOptions {
  /** Default: `llava`. */
  readonly rule?: ScienceQaRule;
}

/** Share of right answers, in all, of questions with an image (SQA-IMG) and of those without. */
export interface ScienceQaScore extends Share {
  readonly image: Share;
  readonly text: Share;
  /** Number of the choice that each answer names, in the order of the rows; −1 for none of the question's. */
  readonly indices: readonly number[];
}

/**
 * Scores answers to ScienceQA (Lu et al. 2022). An answer that names none of the question's choices is wrong; Honeybee
 * draws a choice.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreScienceQa(
  rows: readonly ScienceQaRow[],
  { rule, draws }: ScoreScienceQaOptions = {},
): ScienceQaScore {
  requireRows('ScienceQA', rows);
  const indices = rows.map(({ answer, choices }) => {
    const index = letters.indexOf(parseScienceQa(answer, choices, rule) ?? '');
    if (index >= 0 && index < choices.length) return index;
    return drawOption([...choices.keys()], { draws }) ?? -1;
  });
  const share = (isCounted: (row: ScienceQaRow) => boolean) =>
    shareOf(rows.flatMap((row, place) => (isCounted(row) ? [indices[place] === row.label] : [])));
  return {
    ...share(() => true),
    image: share(({ hasImage }) => hasImage),
    text: share(({ hasImage }) => !hasImage),
    indices,
  };
}
