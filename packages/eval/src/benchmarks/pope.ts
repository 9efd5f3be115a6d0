import { type PopeRule, popeAnswer } from '../answers/yes-no.js';
import { BenchmarkError, requireRows } from '../benchmark-error.js';
import {
  type BinaryScores,
  binaryScores,
  type ConfusionCounts,
  countConfusion,
} from '../metrics/binary-classification.js';
import { groupBy } from '../metrics/share.js';

/** A question of POPE and what a model answered. */
export interface PopeAnswerRow {
  readonly label: 'yes' | 'no';
  readonly answer: string;
}

/** Options of {@link scorePope}. */
export interface ScorePopeOptions {
  /** How answers are read. Default: `llava`. */
  readonly rule?: PopeRule;
  /** Added to denominators: 1e-12 in Honeybee. Default: 0. */
  readonly epsilon?: number;
  /** Whose share of yes `yesRatio` is. `answers`, or the `labels`, as in lmms-eval. Default: `answers`. */
  readonly yesRatioOf?: 'answers' | 'labels';
}

/** Figures of POPE, 0 … 1, and the counts behind them. */
export interface PopeScore extends BinaryScores {
  readonly counts: ConfusionCounts;
}

/**
 * Scores answers to POPE (Li et al. 2023, "Evaluating Object Hallucination in Large Vision-Language Models"): its authors
 * list the categories random, popular and adversarial apart, most papers the mean F1 of the three.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scorePope(
  rows: readonly PopeAnswerRow[],
  { rule = 'llava', epsilon = 0, yesRatioOf = 'answers' }: ScorePopeOptions = {},
): PopeScore {
  requireRows('POPE', rows);
  const read = rows.map(({ label, answer }) => ({ label, answer: popeAnswer(answer, rule) }));
  const counts = countConfusion(read);
  const scores = binaryScores(counts, epsilon);
  const labelled = rows.filter(({ label }) => label === 'yes').length / (rows.length + epsilon);
  return { ...scores, ...(yesRatioOf === 'labels' && { yesRatio: labelled }), counts };
}

/** An answer to a question of POPE whose label is in a file of its own. */
export interface PopeUnlabelledRow {
  readonly questionId: number;
  readonly category: string;
  readonly answer: string;
}

/**
 * Scores each category apart: its answers, in the order of their question ids, belong to the labels of its file in the
 * file's order, as in LLaVA's and MoAI's evaluation.
 *
 * @param labels of each category
 * @throws BenchmarkError if a category has not as many answers as labels
 */
export function scorePopeCategories(
  rows: readonly PopeUnlabelledRow[],
  labels: Readonly<Record<string, readonly ('yes' | 'no')[]>>,
  options: ScorePopeOptions = {},
): Record<string, PopeScore> {
  requireRows('POPE', rows);
  const groups = groupBy(rows, ({ category }) => category);
  const names = new Set([...groups.keys(), ...Object.keys(labels)]);
  return Object.fromEntries(
    [...names].map((category) => {
      const answers = [...(groups.get(category) ?? [])].sort((a, b) => a.questionId - b.questionId);
      const truths = labels[category] ?? [];
      if (answers.length !== truths.length) {
        throw new BenchmarkError({
          operation: `score POPE (${category})`,
          expected: `${truths.length} answers, one for each label`,
          received: String(answers.length),
          remedy: 'Answer every question of the category, or leave its labels out, too.',
          value: category,
        });
      }
      return [
        category,
        scorePope(
          answers.map(({ answer }, index) => ({ answer, label: truths[index]! })),
          options,
        ),
      ];
    }),
  );
}
