import type { YesNo } from '../answers/yes-no.js';

/** Answers to yes-or-no questions by what is true. */
export interface ConfusionCounts {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
  readonly falseNegative: number;
  /** Answers that are neither. */
  readonly other: number;
}

/** Counts answers; yes is positive. */
export function countConfusion(
  rows: readonly { readonly label: 'yes' | 'no'; readonly answer: YesNo }[],
): ConfusionCounts {
  const count = (label: string, answer: string) =>
    rows.filter((row) => row.label === label && row.answer === answer).length;
  return {
    truePositive: count('yes', 'yes'),
    falsePositive: count('no', 'yes'),
    trueNegative: count('no', 'no'),
    falseNegative: count('yes', 'no'),
    other: rows.filter(({ answer }) => answer === 'other').length,
  };
}

/** Figures of yes-or-no answers, 0 … 1. */
export interface BinaryScores {
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  /** Share of answers that say yes. */
  readonly yesRatio: number;
}

/**
 * Accuracy, precision, recall and F1 of yes. What would divide by 0 is 0. Answers that are neither lower the accuracy
 * and nothing else.
 *
 * @param epsilon is added to denominators. Honeybee has 1e-12, all others 0.
 */
export function binaryScores(counts: ConfusionCounts, epsilon = 0): BinaryScores {
  const { truePositive, falsePositive, trueNegative, falseNegative, other } = counts;
  const ratio = (part: number, whole: number) => (whole + epsilon === 0 ? 0 : part / (whole + epsilon));
  const total = truePositive + falsePositive + trueNegative + falseNegative + other;
  const precision = ratio(truePositive, truePositive + falsePositive);
  const recall = ratio(truePositive, truePositive + falseNegative);
  return {
    accuracy: ratio(truePositive + trueNegative, total),
    precision,
    recall,
    f1: ratio(2 * precision * recall, precision + recall),
    yesRatio: ratio(truePositive + falsePositive, total),
  };
}
