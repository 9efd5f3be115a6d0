import { requireRows } from '../benchmark-error.js';
import { groupBy, meanOf } from '../metrics/share.js';
import { parseFloatPython, roundPython } from '../text/python-number.js';
import { strip } from '../text/python-text.js';

/** Points that a judge gave to the reference answer and to the model's, 1 … 10. */
export type ReviewScores = readonly [reference: number, model: number];

/** What the published code gives a review that it cannot read. */
export const unreadableReview: ReviewScores = [-1, -1];

/**
 * How a review is read. Of its first line, commas as blanks, there must be two numbers and nothing else between single
 * blanks, so that a comma with a blank behind makes the review unreadable.
 * - `llava`: LLaVA's and Honeybee's, and lmms-eval 0.2.4's for LLaVA-Wilder: a blank at either end is one too many.
 * - `stripped`: lmms-eval 0.2.4 for LLaVA-Bench: white space around the review is taken off.
 * - `stripped-line`: lmms-eval 0.7.2 for LLaVA-Wilder: white space around the line is taken off.
 * - `numbers`: lmms-eval 0.7.2 for LLaVA-Bench: the first two numbers of the line, whatever is between: `8/10 9/10` is 8
 *   and 10.
 */
export type ReviewRule = 'llava' | 'stripped' | 'stripped-line' | 'numbers';

/**
 * The points of a review, see {@link ReviewRule}.
 *
 * @returns −1 and −1 for an unreadable review, as LLaVA's code has it
 */
export function parseReview(review: string, rule: ReviewRule = 'llava'): ReviewScores {
  const text = rule === 'stripped' || rule === 'numbers' ? strip(review) : review;
  const [first] = text.split('\n', 1) as [string];
  const line = rule === 'stripped-line' ? strip(first) : first;
  const fields =
    rule === 'numbers'
      ? (line.match(/-?\p{Nd}+(?:\.\p{Nd}+)?/gu) ?? []).slice(0, 2)
      : line.replaceAll(',', ' ').split(' ');
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

/** What a judge of two answers is asked about. */
export interface ReviewQuestion {
  /** Sentences that stand for the image; without them the judge sees the image itself, as in LLaVA-Wilder. */
  readonly context?: string | undefined;
  readonly question: string;
  readonly reference: string;
  readonly answer: string;
}

/** The request for a review, word by word as published. */
export function reviewPrompt({ context, question, reference, answer }: ReviewQuestion): string {
  const section = (name: string, text: string) => `[${name}]\n${text}\n\n`;
  const assistant = (number: 1 | 2, text: string) =>
    `${section(`Assistant ${number}`, text)}[End of Assistant ${number}]\n\n`;
  const image =
    context === undefined
      ? 'The user asks the question on observing an image shown to you. '
      : 'The user asks the question on observing an image. For your reference, the visual content in the image is represented with a few sentences describing the image. ';
  const assumption =
    context === undefined ? ' Assume assistant 1 always receive a score of 10 and is the correct answer.' : '';
  const rule = [
    `We would like to request your feedback on the performance of two AI assistants in response to the user question displayed above. ${image}`,
    `Please rate the helpfulness, relevance, accuracy, level of details of their responses. Each assistant receives an overall score on a scale of 1 to 10, where a higher score indicates better overall performance.${assumption}`,
    'Please first output a single line containing only two values indicating the scores for Assistant 1 and 2, respectively. The two scores are separated by a space.',
    'In the subsequent line, please provide a comprehensive explanation of your evaluation, avoiding any potential bias and ensuring that the order in which the responses were presented does not affect your judgment.',
  ].join('\n');
  const seen = context === undefined ? '' : section('Context', context);
  return (
    seen + section('Question', question) + assistant(1, reference) + assistant(2, answer) + section('System', rule)
  );
}
