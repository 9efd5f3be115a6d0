import { requireRows } from '../benchmark-error.js';
import { type Share, shareOf } from '../metrics/share.js';

/**
 * How an answer to Q-Bench is read.
 * - `moai`: MoAI's script: where the whole answer stands in `ABCD`. An empty one is A, `CD` is C, and what does not stand
 *   there, such as `A.`, is the last option.
 * - `letter`: the answer is one letter, in any case, with a full stop or in brackets at most; anything else is wrong.
 */
export type QBenchRule = 'moai' | 'letter';

/** The number of the option that an answer names, see {@link QBenchRule}; −1 for none. */
export function parseQBench(answer: string, optionCount: number, rule: QBenchRule = 'moai'): number {
  const place = 'ABCD'.indexOf(
    rule === 'moai' ? answer : (/^\(?([a-d])\)?\.?$/i.exec(answer.trim())?.[1] ?? '?').toUpperCase(),
  );
  // A negative index of a Python list counts from its end.
  if (place < 0 && rule === 'moai') return optionCount - 1;
  return place < optionCount ? place : -1;
}

/** A question of Q-Bench's perception part (LLVisionQA) and what a model answered. */
export interface QBenchRow {
  readonly options: readonly string[];
  /** Text of the right option, in any case. */
  readonly label: string;
  readonly answer: string;
}

/**
 * Scores answers to Q-Bench (Wu et al. 2023): the text of the named option is the right one's.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreQBench(rows: readonly QBenchRow[], { rule }: { readonly rule?: QBenchRule } = {}): Share {
  requireRows('Q-Bench', rows);
  return shareOf(
    rows.map(({ options, label, answer }) => {
      const option = options[parseQBench(answer, options.length, rule)];
      return option?.toLowerCase() === label.toLowerCase();
    }),
  );
}
