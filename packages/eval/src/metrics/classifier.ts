import { BenchmarkError } from '../benchmark-error.js';
import { meanOf } from './share.js';

/** Number of the largest value, the first of equal ones. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

function requirePairs(operation: string, rows: readonly unknown[], others: readonly unknown[]): void {
  if (rows.length === others.length) return;
  throw new BenchmarkError({ operation, expected: `${rows.length} rows`, received: String(others.length) });
}

/** VQA score of a classifier: the target's value at the largest logit, the mean over the questions. */
export function classifierVqaScore(
  logits: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number {
  requirePairs('classifierVqaScore', logits, targets);
  return meanOf(logits.map((row, index) => targets[index]![argmax(row)]!));
}

/** Share of rows whose largest logit is that of the label; rows labelled −100 do not count. 0 of no rows. */
export function classifierAccuracy(logits: readonly (readonly number[])[], labels: readonly number[]): number {
  requirePairs('classifierAccuracy', logits, labels);
  const counted = logits.flatMap((row, index) =>
    labels[index] === -100 ? [] : [Number(argmax(row) === labels[index])],
  );
  return counted.length === 0 ? 0 : meanOf(counted);
}

/** Loss of a VQA classifier: the mean binary cross-entropy, times the number of labels. */
export function classifierVqaLoss(
  logits: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number {
  requirePairs('classifierVqaLoss', logits, targets);
  const cells = logits.flatMap((row, index) =>
    row.map((logit, label) => {
      const target = targets[index]![label]!;
      return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
    }),
  );
  return meanOf(cells) * (logits[0]?.length ?? 0);
}
