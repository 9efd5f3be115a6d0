import { BenchmarkError } from '../benchmark-error.js';
import { normalBelow, normalQuantile, studentQuantile, studentTwoSided } from './distributions.js';
import { meanOf } from './share.js';
import { standardError } from './statistics.js';

/** How two runs on the same questions differ. */
export interface PairedComparison {
  readonly count: number;
  /** Mean of current − baseline. */
  readonly meanDifference: number;
  readonly standardError: number;
  /** Ends of the 95% interval of the mean difference. */
  readonly lower: number;
  readonly upper: number;
  readonly t: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Paired t-test of two runs, question by question. Runs that do not differ at all have t = 0 and p = 1.
 *
 * @throws BenchmarkError unless both have the same number of scores, two or more
 */
export function comparePaired(current: readonly number[], baseline: readonly number[]): PairedComparison {
  const count = current.length;
  if (count !== baseline.length || count < 2) {
    throw new BenchmarkError({
      operation: 'comparePaired',
      expected: 'scores of two runs on the same questions, two or more',
      received: `${count} and ${baseline.length}`,
    });
  }
  const differences = current.map((score, index) => score - baseline[index]!);
  const meanDifference = meanOf(differences);
  const error = standardError(differences);
  const reach = studentQuantile(0.975, count - 1) * error;
  const t =
    error === 0
      ? meanDifference === 0
        ? 0
        : Math.sign(meanDifference) * Number.POSITIVE_INFINITY
      : meanDifference / error;
  return {
    count,
    meanDifference,
    standardError: error,
    lower: meanDifference - reach,
    upper: meanDifference + reach,
    t,
    pValue: Number.isFinite(t) ? studentTwoSided(t, count - 1) : 0,
  };
}

/** Assumptions of {@link questionsNeeded} and its relatives. */
export interface PowerOptions {
  /** Deviation of one run's scores. Default: 0.5. */
  readonly deviation?: number;
  /** Of the other's. Default: the same. */
  readonly otherDeviation?: number;
  /** Correlation of the two runs' scores. Default: 0.5. */
  readonly correlation?: number;
  /** Probability of seeing a difference where there is none. Default: 0.05. */
  readonly alpha?: number;
  /** Probability of seeing one that is there. Default: 0.8. */
  readonly power?: number;
}

function assumptions({
  deviation = 0.5,
  otherDeviation = deviation,
  correlation = 0.5,
  alpha = 0.05,
  power = 0.8,
}: PowerOptions) {
  const variance = deviation ** 2 + otherDeviation ** 2 - 2 * correlation * deviation * otherDeviation;
  return { spread: Math.sqrt(variance), critical: normalQuantile(1 - alpha / 2), wanted: normalQuantile(power) };
}

/** How many questions a paired comparison needs to see a difference of a size. */
export function questionsNeeded(difference: number, options: PowerOptions = {}): number {
  const { spread, critical, wanted } = assumptions(options);
  return Math.ceil((((critical + wanted) * spread) / difference) ** 2);
}

/** The probability that a paired comparison on so many questions sees a difference of a size. */
export function powerOf(difference: number, questions: number, options: PowerOptions = {}): number {
  const { spread, critical } = assumptions(options);
  return normalBelow((Math.abs(difference) * Math.sqrt(questions)) / spread - critical);
}

/** The smallest difference that a paired comparison on so many questions sees. */
export function detectableDifference(questions: number, options: PowerOptions = {}): number {
  const { spread, critical, wanted } = assumptions(options);
  return ((critical + wanted) * spread) / Math.sqrt(questions);
}
