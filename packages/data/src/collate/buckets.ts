import { CollationError } from './collation-error.js';

/** Lengths that sequences are padded to: the multiples of a number, or the given lengths in increasing order. */
export type LengthBuckets = number | readonly number[];

/** @throws CollationError if the buckets are not positive integers in increasing order */
export function checkBuckets(buckets: LengthBuckets): void {
  const list = typeof buckets === 'number' ? [buckets] : buckets;
  const valid = list.every(
    (length, index) => Number.isInteger(length) && length > (index === 0 ? 0 : list[index - 1]!),
  );
  if (valid && list.length > 0) return;
  throw new CollationError({
    operation: 'collate',
    expected: 'buckets to be a positive integer, or positive integers in increasing order',
    received: JSON.stringify(buckets),
    remedy: 'for example 64 for multiples of 64, or [128, 256, 512]',
    value: buckets,
  });
}

/**
 * The length that a batch is padded to: the smallest bucket that holds its longest sequence.
 *
 * @throws CollationError if no bucket does; it names the sample
 */
export function bucketLength(longest: number, buckets: LengthBuckets, sampleId?: string): number {
  checkBuckets(buckets);
  if (typeof buckets === 'number') return Math.max(1, Math.ceil(longest / buckets)) * buckets;
  const length = buckets.find((bucket) => bucket >= longest);
  if (length !== undefined) return length;
  throw new CollationError({
    operation: `collate${sampleId === undefined ? '' : ` (${sampleId})`}`,
    expected: `at most ${buckets[buckets.length - 1]} tokens, the last of the buckets`,
    received: String(longest),
    remedy: 'add a longer bucket, or truncate the samples to the last one',
    ...(sampleId === undefined ? {} : { sampleId }),
    value: longest,
  });
}
