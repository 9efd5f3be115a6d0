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
  /** Of figures, all questions about them right. */
  readonly fAcc: number;
}

/** Options of {@link scoreHallusionGroups}. */
export interface ScoreHallusionOptions {
  /**
   * Whether figure 0 of VS, which stands for questions without a figure, is one of the figures: `counted` by lmms-eval's
   * rule without a judge and by VLMEvalKit, `left-out` with lmms-eval's judge. Default: `counted`.
   */
  readonly noFigure?: 'counted' | 'left-out';
}

/**
 * The three accuracies of HallusionBench.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreHallusionGroups(
  rows: readonly HallusionGroupRow[],
  { noFigure = 'counted' }: ScoreHallusionOptions = {},
): HallusionGroupScore {
  requireRows('HallusionBench', rows);
  const allRight = (part: readonly HallusionGroupRow[], idOf: (row: HallusionGroupRow) => string) => {
    const keyOf = (row: HallusionGroupRow) => JSON.stringify([row.category, row.subcategory, row.setId, idOf(row)]);
    const groups = [...groupBy(part, keyOf).values()];
    return shareOf(groups.map((group) => group.every(({ correct }) => correct))).accuracy;
  };
  const figures = rows.filter(({ category, figureId }) => {
    return noFigure === 'counted' || category !== 'VS' || figureId !== '0';
  });
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

/** What a judge is asked about an answer, word by word as published. It sees no image. */
export function hallusionJudgePrompt({
  question,
  reference,
  answer,
}: {
  readonly question: string;
  readonly reference: string;
  readonly answer: string;
}): string {
  return `Imagine you are an intelligent teacher. Thoroughly read the question, reference answer and the prediction answer to ensure a clear understanding of the information provided. Assess the correctness of the predictions. If the prediction answer does not conflict with the reference answer, please generate “correct”. If the prediction answer conflict with the reference answer, please generate “incorrect”. If the prediction answer is unclear about the answer, please generate "unclear". \n\n Question:${question}\nReference answer: ${reference}\nPrediction answer:${answer}\nOutput:`;
}
