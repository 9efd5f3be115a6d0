import { IMAGE_TOKEN } from '../labels/image-prompt.js';
import { bucketLength, type LengthBuckets } from './buckets.js';
import { CollationError } from './collation-error.js';
import { IGNORE_LABEL } from './tokenize-segments.js';

/** A sequence in which one token stands for each image. */
export interface SpliceRow {
  /** Names the row in errors. */
  readonly sampleId: string;
  readonly inputIds: ArrayLike<number>;
  /** As long as the ids; default: nothing is trained. */
  readonly labels?: ArrayLike<number>;
  /** As long as the ids; what is 0 or false is padding and dropped. Default: nothing is. */
  readonly attentionMask?: ArrayLike<number | boolean>;
}

export interface SpliceOptions {
  /** How many rows of features each image has, in the order of the batch. */
  readonly featureLengths: readonly number[];
  /** The id that stands for an image. Default −200. */
  readonly imageToken?: number;
  /** Longer sequences are cut on the right, after the images are in. Default: unlimited. */
  readonly maximumLength?: number;
  /** Default `right`. */
  readonly padding?: 'right' | 'left';
  /** What lengths are padded to. Default: the longest sequence. */
  readonly buckets?: LengthBuckets;
  /**
   * Whether a row without an image passes over one entry of the features, as the published code needs one of a dummy
   * image there. Default true.
   */
  readonly dummyImages?: boolean;
  /** Fills padding and the places of images in `inputIds`. Default 0. */
  readonly padTokenId?: number;
}

/** Where the features of an image are in a row. */
export interface ImageSpan {
  /** Which entry of the features. */
  readonly image: number;
  readonly start: number;
  /** Fewer than the image has features, where the row was cut inside it. */
  readonly length: number;
}

/** What lays a batch of spliced sequences out; arrays are row-major. */
export interface SplicedBatch {
  readonly batch: number;
  readonly length: number;
  /** [batch] positions of each row without padding. */
  readonly lengths: Int32Array;
  /** [batch, length]; the pad id at padding and where an image is. */
  readonly inputIds: Int32Array;
  /** [batch, length], not shifted; −100 at images, padding and where nothing is trained. */
  readonly labels: Int32Array;
  /** [batch, length] 1 at tokens and images, 0 at padding. */
  readonly attentionMask: Int32Array;
  /** [batch, length] position of each token within its row; 0 at padding. */
  readonly positions: Int32Array;
  /**
   * [batch · length] For every position the row of `concat(text embeddings, features, one row of zeros)` that belongs
   * there. Text embeddings are the batch · length embedded `inputIds`, so a text position points to itself; the features
   * of all images follow; padding points to the zeros.
   */
  readonly plan: Int32Array;
  /** The images of each row that are at least partly left after cutting. */
  readonly images: readonly (readonly ImageSpan[])[];
}

/**
 * Plans how the features of images take the places that were kept for them: rows lose their padding, each image token
 * becomes as many positions as its image has features, rows are cut to the maximum and padded again, with zeros.
 *
 * Source: haotian-liu/LLaVA `llava/model/llava_arch.py`, `prepare_inputs_labels_for_multimodal`; ConvLLaVA, Eagle and
 * LLaVA-OV-Manager splice alike.
 *
 * @throws CollationError naming the row, if there are more or fewer images than features, labels or masks of another
 * length than the ids, a negative id that is no image, or no bucket that is long enough
 */
export function spliceImages(rows: readonly SpliceRow[], options: SpliceOptions): SplicedBatch {
  const { featureLengths, maximumLength = Number.POSITIVE_INFINITY, padTokenId = 0 } = options;
  checkOptions(rows, options);
  const starts = featureStarts(featureLengths);
  let image = 0;
  const spliced = rows.map((row) => {
    const sequence = spliceRow(row, image, options);
    image = sequence.nextImage;
    return { ...sequence, length: Math.min(sequence.ids.length, maximumLength) };
  });
  checkImages(rows, image, featureLengths.length);

  const longest = spliced.reduce((best, each, row) => (each.length > spliced[best]!.length ? row : best), 0);
  const length =
    options.buckets === undefined
      ? spliced[longest]!.length
      : bucketLength(spliced[longest]!.length, options.buckets, rows[longest]!.sampleId);
  const batch = rows.length;
  const cells = batch * length;
  const zeroRow = cells + starts.at(-1)!;
  const inputIds = new Int32Array(cells).fill(padTokenId);
  const labels = new Int32Array(cells).fill(IGNORE_LABEL);
  const attentionMask = new Int32Array(cells);
  const positions = new Int32Array(cells);
  const plan = new Int32Array(cells).fill(zeroRow);
  for (const [row, sequence] of spliced.entries()) {
    const first = row * length + (options.padding === 'left' ? length - sequence.length : 0);
    for (let position = 0; position < sequence.length; position++) {
      const cell = first + position;
      const source = sequence.ids[position]!;
      attentionMask[cell] = 1;
      positions[cell] = position;
      labels[cell] = sequence.labels[position]!;
      plan[cell] = cell;
      if (source >= 0) inputIds[cell] = source;
    }
    for (const span of sequence.spans) {
      const end = Math.min(span.start + span.length, sequence.length);
      for (let position = span.start; position < end; position++) {
        plan[first + position] = cells + starts[span.image]! + position - span.start;
      }
    }
  }
  return {
    batch,
    length,
    lengths: Int32Array.from(spliced, (sequence) => sequence.length),
    inputIds,
    labels,
    attentionMask,
    positions,
    plan,
    images: spliced.map((sequence) => visibleSpans(sequence.spans, sequence.length)),
  };
}

interface SplicedRow {
  /** Negative at images. */
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  readonly spans: readonly ImageSpan[];
  readonly nextImage: number;
}

function spliceRow(row: SpliceRow, firstImage: number, options: SpliceOptions): SplicedRow {
  const { featureLengths, imageToken = IMAGE_TOKEN, dummyImages = true } = options;
  const { sampleId, inputIds, labels: given, attentionMask } = row;
  checkLengths(row);
  const ids: number[] = [];
  const labels: number[] = [];
  const spans: ImageSpan[] = [];
  for (let position = 0; position < inputIds.length; position++) {
    if (attentionMask && !attentionMask[position]) continue;
    const id = inputIds[position]!;
    if (id !== imageToken) {
      if (id < 0)
        fail(sampleId, `token ids, or ${imageToken} for an image`, String(id), 'tokenize the sample again', id);
      ids.push(id);
      labels.push(given?.[position] ?? IGNORE_LABEL);
      continue;
    }
    const image = firstImage + spans.length;
    const length = featureLengths[image];
    if (length === undefined) {
      fail(
        sampleId,
        `features of image ${image} of the batch`,
        `those of ${featureLengths.length} images`,
        dummyImages
          ? 'pass one entry for every image, and one for every row without'
          : 'pass one entry for every image',
        featureLengths,
      );
    }
    spans.push({ image, start: ids.length, length });
    for (let feature = 0; feature < length; feature++) {
      ids.push(-1);
      labels.push(IGNORE_LABEL);
    }
  }
  if (ids.length === 0) fail(sampleId, 'at least one token', 'none', 'remove the sample', row);
  return { ids, labels, spans, nextImage: firstImage + (spans.length || Number(dummyImages)) };
}

function visibleSpans(spans: readonly ImageSpan[], length: number): ImageSpan[] {
  return spans
    .filter(({ start }) => start < length)
    .map((span) => ({ ...span, length: Math.min(span.length, length - span.start) }));
}

/** Where the features of each image begin, and where all end. */
function featureStarts(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  return starts;
}

function checkOptions(rows: readonly SpliceRow[], { featureLengths, maximumLength, imageToken }: SpliceOptions): void {
  if (rows.length === 0) fail(undefined, 'at least one row', 'none', 'skip empty batches', rows);
  const wrong = featureLengths.find((length) => !Number.isInteger(length) || length < 0);
  if (wrong !== undefined) {
    fail(undefined, 'a number of features for each image', String(wrong), 'pass the rows of each image', wrong);
  }
  if (maximumLength !== undefined && (!Number.isInteger(maximumLength) || maximumLength < 1)) {
    fail(undefined, 'a positive maximumLength', String(maximumLength), 'leave it out for no limit', maximumLength);
  }
  if (imageToken !== undefined && !(Number.isInteger(imageToken) && imageToken < 0)) {
    fail(undefined, 'a negative imageToken', String(imageToken), 'token ids are never negative', imageToken);
  }
}

function checkLengths({ sampleId, inputIds, labels, attentionMask }: SpliceRow): void {
  for (const [name, values] of Object.entries({ labels, attentionMask })) {
    if (values === undefined || values.length === inputIds.length) continue;
    fail(sampleId, `as many ${name} as the ${inputIds.length} ids`, String(values.length), 'pad all alike', values);
  }
}

function checkImages(rows: readonly SpliceRow[], used: number, given: number): void {
  if (used === given) return;
  const { sampleId } = rows.at(-1)!;
  fail(sampleId, `features of ${used} images`, `those of ${given}`, 'pass those that the batch asks for', given);
}

function fail(sampleId: string | undefined, expected: string, received: string, remedy: string, value: unknown): never {
  throw new CollationError({
    operation: sampleId === undefined ? 'spliceImages' : `spliceImages (${sampleId})`,
    expected,
    received,
    remedy,
    sampleId,
    value,
  });
}
