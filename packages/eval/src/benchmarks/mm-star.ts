import { extractMcqAnswer } from '../answers/mcq-answer.js';
import { requireRows } from '../benchmark-error.js';
import { groupBy, meanOf } from '../metrics/share.js';
import { strip } from '../text/python-text.js';

/**
 * How an answer to MMStar is compared with the letter.
 * - `lmms-0.2.4`: it begins with the letter, `(` and the letter, `option ` or `the answer is ` and the letter, in any
 *   case: `Apple` is A.
 * - `lmms-0.7.2`: `extractMcqAnswer` finds the letter.
 */
export type MmStarRule = 'lmms-0.2.4' | 'lmms-0.7.2';

/** Whether an answer is the letter, see {@link MmStarRule}. */
export function isMmStarCorrect(answer: string, label: string, rule: MmStarRule = 'lmms-0.2.4'): boolean {
  if (rule === 'lmms-0.7.2') return extractMcqAnswer(answer) === strip(label).toUpperCase();
  const text = strip(answer.toLowerCase());
  const letter = strip(label.toLowerCase());
  return ['', '(', 'option ', 'the answer is '].some((start) => text.startsWith(start + letter));
}

/** A question of MMStar and what a model answered. */
export interface MmStarRow {
  readonly category: string;
  readonly l2Category: string;
  readonly label: string;
  readonly answer: string;
}

/** Scores of MMStar, 0 … 1. */
export interface MmStarScore {
  readonly categories: ReadonlyMap<string, number>;
  /** The mean over the l2 categories; papers give that over the six categories. */
  readonly average: number;
}

/**
 * Scores answers to MMStar (Chen et al. 2024): each figure is the mean over l2 categories of their means.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreMmStar(rows: readonly MmStarRow[], { rule }: { readonly rule?: MmStarRule } = {}): MmStarScore {
  requireRows('MMStar', rows);
  const macro = (part: readonly MmStarRow[]) =>
    meanOf(
      [...groupBy(part, ({ l2Category }) => l2Category).values()].map((group) =>
        meanOf(group.map(({ answer, label }) => Number(isMmStarCorrect(answer, label, rule)))),
      ),
    );
  const categories = [...groupBy(rows, ({ category }) => category)];
  return { categories: new Map(categories.map(([name, part]) => [name, macro(part)])), average: macro(rows) };
}
