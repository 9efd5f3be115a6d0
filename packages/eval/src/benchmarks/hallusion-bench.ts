import { saysYes } from '../answers/yes-no.js';
import { requireRows } from '../benchmark-error.js';
import { groupBy, type Share, shareOf } from '../metrics/share.js';

/** What HallusionBench compares: `1` for an answer that says yes, else `0`. */
export function hallusionVerdict(answer: string): '0' | '1' {
  return saysYes(answer) ? '1' : '0';
}

/** A question of HallusionBench and the verdict on what a model answered. */
export interface HallusionRow {
  readonly label: '0' | '1';
  readonly verdict: '0' | '1';
}

/**
 * Accuracy over all questions (aAcc) of HallusionBench (Guan et al. 2023).
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreHallusion(rows: readonly HallusionRow[]): Share {
  requireRows('HallusionBench', rows);
  return shareOf(rows.map(({ label, verdict }) => label === verdict));
}

/** A question of HallusionBench with what groups it, and whether the answer is right. */
export interface HallusionGroupRow {
  readonly category: string;
  readonly subcategory: string;
  readonly setId: string;
  readonly figureId: string;
  readonly questionId: string;
  readonly correct: boolean;
}

/** Accuracies of HallusionBench, 0 … 1. */
export interface HallusionGroupScore {
  /** Of questions. */
  readonly aAcc: number;
  /** Of questions about several figures, all right. */
  readonly qAcc: number;
  /** Of figures, all questions about them right; figure 0 of VS, where there is none, is left out. */
  readonly fAcc: number;
}

/**
 * The three accuracies of HallusionBench.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreHallusionGroups(rows: readonly HallusionGroupRow[]): HallusionGroupScore {
  requireRows('HallusionBench', rows);
  const allRight = (part: readonly HallusionGroupRow[], idOf: (row: HallusionGroupRow) => string) => {
    const keyOf = (row: HallusionGroupRow) => JSON.stringify([row.category, row.subcategory, row.setId, idOf(row)]);
    const groups = [...groupBy(part, keyOf).values()];
    return shareOf(groups.map((group) => group.every(({ correct }) => correct))).accuracy;
  };
  const figures = rows.filter(({ category, figureId }) => !(category === 'VS' && figureId === '0'));
  return {
    aAcc: shareOf(rows.map(({ correct }) => correct)).accuracy,
    qAcc: allRight(rows, ({ questionId }) => questionId),
    fAcc: allRight(figures, ({ figureId }) => figureId),
  };
}

/** The judge's verdict: wrong, right or unclear. Anything but `incorrect` and `correct` is unclear. */
export function readHallusionJudge(reply: string): '0' | '1' | '2' {
  const lower = reply.toLowerCase();
  if (lower.includes('incorrect')) return '0';
  return lower.includes('correct') ? '1' : '2';
}

/** Whether a verdict makes an answer right: unclear does where there is no figure. */
export function isHallusionVerdictCorrect(
  verdict: '0' | '1' | '2',
  { category, figureId }: { readonly category: string; readonly figureId: string },
): boolean {
  return verdict === '1' || (verdict === '2' && category === 'VS' && figureId === '0');
}
