import { BenchmarkError } from '../benchmark-error.js';
import { groupBy, meanOf } from './share.js';

const squares = (values: readonly number[]) => {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
};

/** Standard deviation of a sample (n − 1); NaN of fewer than two values. */
export function sampleDeviation(values: readonly number[]): number {
  return values.length < 2 ? Number.NaN : Math.sqrt(squares(values) / (values.length - 1));
}

/** Standard deviation of a whole population (n). */
export function populationDeviation(values: readonly number[]): number {
  return Math.sqrt(squares(values) / values.length);
}

/** Standard error of a mean; NaN of fewer than two values. */
export function standardError(values: readonly number[]): number {
  return sampleDeviation(values) / Math.sqrt(values.length);
}

/**
 * Standard error of a mean of scores in clusters, such as questions about one image: those of one cluster vary together.
 * (Miller 2024, "Adding Error Bars to Evals", equation 4)
 *
 * @param clusters the cluster of each score
 * @throws BenchmarkError if there are not as many clusters as scores
 */
export function clusteredStandardError(scores: readonly number[], clusters: readonly unknown[]): number {
  if (clusters.length !== scores.length) {
    throw new BenchmarkError({
      operation: 'clusteredStandardError',
      expected: `${scores.length} clusters, one for each score`,
      received: String(clusters.length),
    });
  }
  const count = scores.length;
  if (count < 2) return Number.NaN;
  const mean = meanOf(scores);
  const differences = scores.map((score, index) => ({ difference: score - mean, cluster: clusters[index] }));
  const covariance = [...groupBy(differences, ({ cluster }) => cluster).values()].reduce((sum, group) => {
    const total = group.reduce((all, { difference }) => all + difference, 0);
    const own = group.reduce((all, { difference }) => all + difference ** 2, 0);
    return sum + total ** 2 - own;
  }, 0);
  const variance = sampleDeviation(scores) ** 2;
  return Math.sqrt(Math.max(0, variance / count + covariance / count ** 2));
}

/** A part of a benchmark with its error and size. */
export interface PartError {
  readonly error: number;
  readonly size: number;
}

/** Standard error of the mean over parts, from theirs. */
export function pooledStandardError(parts: readonly PartError[]): number {
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const variance = parts.reduce((sum, { error, size }) => sum + (size - 1) * size * error ** 2, 0);
  return Math.sqrt(variance / (total - parts.length) / total);
}

/** The mean over parts of a benchmark: every row counts the same, or every part. */
export function meanOverParts(
  parts: readonly { readonly value: number; readonly size: number }[],
  { weighBySize = true }: { readonly weighBySize?: boolean } = {},
): number {
  if (!weighBySize) return meanOf(parts.map(({ value }) => value));
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  return parts.reduce((sum, { value, size }) => sum + value * size, 0) / total;
}

/** Figures of questions that were asked several times. */
export interface RepeatFigures {
  /** Mean score of all answers. */
  readonly expectedAccuracy: number;
  /** Share of questions with more than half of their answers right. */
  readonly consensusAccuracy: number;
  /** Mean variance of a question's scores (n − 1). */
  readonly internalVariance: number;
  /** Share of questions whose answers all score the same. */
  readonly consistencyRate: number;
}

/** Figures of scores 0 or 1, a list for each question. */
export function repeatFigures(scores: readonly (readonly number[])[]): RepeatFigures {
  const share = (isCounted: (row: readonly number[]) => boolean) => meanOf(scores.map((row) => Number(isCounted(row))));
  return {
    expectedAccuracy: meanOf(scores.map(meanOf)),
    consensusAccuracy: share((row) => meanOf(row) > 0.5),
    internalVariance: meanOf(scores.map((row) => sampleDeviation(row) ** 2)),
    consistencyRate: share((row) => row.every((value) => value === row[0])),
  };
}

/**
 * The error of a mean over parts as EleutherAI's harness combines it where it also knows the parts' means. The published
 * code does not add a part's size to what is before the next one, so that the result depends on the order.
 */
export function combinedStandardError(parts: readonly (PartError & { readonly value: number })[]): number {
  const [first, ...others] = parts;
  if (!first) return Number.NaN;
  const { size } = first;
  let { value: mean } = first;
  let variance = first.error ** 2;
  for (const part of others) {
    const both = size + part.size;
    mean = (mean * size + part.value * part.size) / both;
    const within = ((size - 1) * variance + (part.size - 1) * part.error ** 2) / (both - 1);
    variance = within + ((size * part.size) / (both * (both - 1))) * (mean - part.value) ** 2;
  }
  return Math.sqrt(variance);
}
