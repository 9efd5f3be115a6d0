import { requireRows } from '../benchmark-error.js';
import { groupBy, type Share, shareOf } from '../metrics/share.js';
import { strip } from '../text/python-text.js';

/**
 * Question types of SEED-Bench by their numbers (Li et al. 2023), with Honeybee's names; 1 to 9 are about images, the
 * others about videos.
 */
export const seedQuestionTypes: Readonly<Record<number, string>> = {
  1: 'Scene Understanding',
  2: 'Instance Identity',
  3: 'Instance Attribute',
  4: 'Instance Location',
  5: 'Instances Counting',
  6: 'Spatial Relation',
  7: 'Instance Interaction',
  8: 'Visual Reasoning',
  9: 'Text Understanding',
  10: 'Action Recognition',
  11: 'Action Prediction',
  12: 'Procedure Understanding',
};

/**
 * How an answer is compared with the letter.
 * - `first-character`: lmms-eval and MoAI's script: the first character, in any case: `Apple` is A, `(A)` is not.
 * - `whole`: Honeybee: the whole answer, in any case: `A.` is not A.
 * - `exact`: LLaVA's script and MoAI's evaluator: the whole answer, as it is.
 */
export type SeedRule = 'first-character' | 'whole' | 'exact';

/** Whether an answer is the letter, see {@link SeedRule}. */
export function isSeedCorrect(answer: string, label: string, rule: SeedRule = 'first-character'): boolean {
  if (rule === 'exact') return answer === label;
  const lower = strip(answer).toLowerCase();
  return (rule === 'whole' ? lower : [...lower.slice(0, 2)][0]) === label.toLowerCase();
}

/** A question of SEED-Bench and what a model answered. */
export interface SeedRow {
  /** Number of the question's type. */
  readonly questionTypeId: number;
  /** Letter of the right choice. */
  readonly label: string;
  readonly answer: string;
}

/** Share of right answers, in all and by the number of the question's type. SEED-IMG is that of types 1 to 9. */
export interface SeedScore extends Share {
  readonly types: ReadonlyMap<number, Share>;
}

/**
 * Scores answers to SEED-Bench.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreSeed(rows: readonly SeedRow[], { rule }: { readonly rule?: SeedRule } = {}): SeedScore {
  requireRows('SEED-Bench', rows);
  const share = (group: readonly SeedRow[]) =>
    shareOf(group.map(({ answer, label }) => isSeedCorrect(answer, label, rule)));
  const types = [...groupBy(rows, (row) => row.questionTypeId)];
  return { ...share(rows), types: new Map(types.map(([type, group]) => [type, share(group)])) };
}
