import { requireRows } from '../benchmark-error.js';
import { exactMatch, looseMatch } from '../metrics/exact-match.js';
import { type Share, shareOf } from '../metrics/share.js';

/**
 * How an answer to AI2D is read.
 * - `moai`: MoAI's evaluator: the first capital letter of the answer, so that `The answer is B` is T. The published code
 *   fails for an answer without one, which here is wrong.
 * - `exact`: MoAI's script: the whole answer is the letter.
 * - `lmms-eval`: a capital letter and a full stop at its start; else the whole answer, which `exactMatch` compares.
 */
export type Ai2dRule = 'moai' | 'exact' | 'lmms-eval';

/** The letter that an answer names, see {@link Ai2dRule}. */
export function parseAi2d(answer: string, rule: Ai2dRule = 'moai'): string | undefined {
  if (rule === 'moai') return /[A-Z]/.exec(answer)?.[0];
  return rule === 'exact' ? answer : (/^\s*([A-Z])\./.exec(answer)?.[1] ?? answer);
}

/** A question of AI2D and what a model answered. */
export interface Ai2dRow {
  /** Number of the right option, from 0. */
  readonly label: number;
  readonly answer: string;
}

/**
 * Scores answers to AI2D (Kembhavi et al. 2016).
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreAi2d(rows: readonly Ai2dRow[], { rule }: { readonly rule?: Ai2dRule } = {}): Share {
  requireRows('AI2D', rows);
  return shareOf(
    rows.map(({ label, answer }) => {
      const letter = parseAi2d(answer, rule);
      const expected = 'ABCD'[label];
      if (letter === undefined || expected === undefined) return false;
      return rule === 'lmms-eval' ? exactMatch(letter, expected, looseMatch) : letter === expected;
    }),
  );
}
