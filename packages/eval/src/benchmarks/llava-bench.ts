import { requireRows } from '../benchmark-error.js';
import { groupBy, meanOf } from '../metrics/share.js';
import { parseFloatPython, roundPython } from '../text/python-number.js';

/** Points that a judge gave to the reference answer and to the model's, 1 … 10. */
export type ReviewScores = readonly [reference: number, model: number];

/** What the published code gives a review that it cannot read. */
export const unreadableReview: ReviewScores = [-1, -1];

/**
 * The two numbers on the first line of a review, with a blank or a comma between them; a comma with a blank behind makes
 * two separators, and the review unreadable.
 *
 * @returns −1 and −1 for an unreadable review, as LLaVA's code has it
 */
export function parseReview(review: string): ReviewScores {
  const fields = review.split('\n', 1)[0]!.replaceAll(',', ' ').split(' ');
  const [reference, model] = fields.map(parseFloatPython);
  if (fields.length !== 2 || reference === undefined || model === undefined) return unreadableReview;
  return [reference, model];
}

/** A judge's review of an answer. */
export interface Review {
  readonly category: string;
  readonly scores: ReviewScores;
}

/** Points of a category: those of reference and model in percent, and the model's relative to the reference's. */
export interface ReviewSummary {
  readonly score: number;
  readonly reference: number;
  readonly model: number;
}

/** Options of {@link scoreLlavaBench}. */
export interface ScoreLlavaBenchOptions {
  /**
   * What becomes of unreadable reviews. `counted`, as published: −1 points each, so that a judge that always fails makes
   * 100; or `left-out`. Default: `counted`.
   */
  readonly unreadable?: 'counted' | 'left-out';
}

/** By category and of `all` of them, in the order in which they first appear. */
export type LlavaBenchScore = Readonly<Record<string, ReviewSummary>>;

/**
 * Sums reviews up (LLaVA's `summarize_gpt_review.py`): means, rounded to three decimals, and what is made of them to one.
 *
 * @throws BenchmarkError if there are no reviews
 */
export function scoreLlavaBench(
  reviews: readonly Review[],
  { unreadable = 'counted' }: ScoreLlavaBenchOptions = {},
): LlavaBenchScore {
  requireRows('LLaVA-Bench', reviews);
  const read = unreadable === 'counted' ? reviews : reviews.filter(({ scores }) => !scores.includes(-1));
  const groups = [['all', read] as const, ...groupBy(read, ({ category }) => category)];
  return Object.fromEntries(
    groups.filter(([, group]) => group.length > 0).map(([name, group]) => [name, summarize(group)]),
  );
}

function summarize(reviews: readonly Review[]): ReviewSummary {
  const [reference, model] = ([0, 1] as const).map((side) =>
    roundPython(meanOf(reviews.map(({ scores }) => scores[side])), 3),
  );
  return {
    score: roundPython((model! / reference!) * 100, 1),
    reference: roundPython(reference! * 10, 1),
    model: roundPython(model! * 10, 1),
  };
}
