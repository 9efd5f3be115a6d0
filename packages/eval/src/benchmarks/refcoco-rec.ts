import type { BoxCorners } from '../answers/box.js';
import { parseDecimalBox, parseGroundingBoxes } from '../answers/grounding-boxes.js';
import { BenchmarkError, requireRows } from '../benchmark-error.js';
import { boxOverlap, hasCenterWithin } from '../metrics/box-overlap.js';
import { meanOf } from '../metrics/share.js';

const recPrompt =
  'Bounding box coordinates are specified in the format (top-left x, top-left y, bottom-right x, bottom-right y). All values are floating point numbers bounded between 0 and 1. Please provide the bounding box coordinate of the region this sentence describes: ';

/** A region of RefCOCO on the hub: several sentences about one box. */
export interface RefcocoRegion {
  /** Left, top, width and height in pixels. */
  readonly bbox: readonly [left: number, top: number, width: number, height: number];
  /** Sentences that describe it. */
  readonly answer: readonly string[];
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** A question of lmms-eval's `refcoco_bbox_rec`: one sentence. */
export interface RefcocoRecQuestion {
  /** Fractions of the image. */
  readonly box: BoxCorners;
  readonly sentence: string;
  readonly prompt: string;
}

/**
 * The questions about a region, one for each of its sentences.
 *
 * @throws BenchmarkError if the image has no pixels
 */
export function refcocoRecQuestions({
  bbox: [x, y, w, h],
  answer,
  width,
  height,
}: RefcocoRegion): RefcocoRecQuestion[] {
  if (!(width > 0 && height > 0)) {
    throw new BenchmarkError({
      operation: 'read RefCOCO',
      expected: 'an image with pixels',
      received: `${width} × ${height}`,
    });
  }
  const box: BoxCorners = [x / width, y / height, (x + w) / width, (y + h) / height];
  return answer.map((sentence) => ({ box, sentence, prompt: recPrompt + sentence }));
}

/** An answer to a question of `refcoco_bbox_rec`. */
export interface RefcocoRecRow {
  /** Fractions of the image. */
  readonly box: BoxCorners;
  readonly answer: string;
}

/** Overlaps at which lmms-eval counts answers. */
export const refcocoThresholds = [0.1, 0.3, 0.5, 0.7, 0.9] as const;

/** Figures of lmms-eval, 0 … 1. Papers report the accuracy at 0.5. */
export interface RefcocoRecScore {
  /** Mean overlap. */
  readonly iou: number;
  /** Share of answers at each of {@link refcocoThresholds}. */
  readonly accuracy: Readonly<Record<(typeof refcocoThresholds)[number], number>>;
  /** Share of answers whose centre is in the right box. */
  readonly centerAccuracy: number;
}

/** No box in an answer is this one. */
export const emptyBox: BoxCorners = [0, 0, 0, 0];

/**
 * Scores answers to referring expressions as lmms-eval does: boxes are fractions of the image as it is, and are neither
 * rescaled nor clipped.
 *
 * @throws BenchmarkError if there are no rows
 */
export function scoreRefcocoRec(rows: readonly RefcocoRecRow[]): RefcocoRecScore {
  return summarizeOverlaps(rows.map(({ box, answer }) => ({ box, predicted: parseDecimalBox(answer) ?? emptyBox })));
}

/** The figures of predicted boxes. */
export function summarizeOverlaps(
  rows: readonly { readonly box: BoxCorners; readonly predicted: BoxCorners }[],
): RefcocoRecScore {
  requireRows('RefCOCO', rows);
  const overlaps = rows.map(({ box, predicted }) => boxOverlap(box, predicted));
  const share = (threshold: number) => meanOf(overlaps.map((overlap) => Number(overlap >= threshold)));
  return {
    iou: meanOf(overlaps),
    accuracy: { 0.1: share(0.1), 0.3: share(0.3), 0.5: share(0.5), 0.7: share(0.7), 0.9: share(0.9) },
    centerAccuracy: meanOf(rows.map(({ box, predicted }) => Number(hasCenterWithin(predicted, box)))),
  };
}

/** The best of the boxes in an answer, see {@link groundingBox}. */
export interface GroundingBox {
  readonly box: BoxCorners;
  readonly overlap: number;
}

/**
 * Of all boxes in an answer, each as pixels and as thousandths of the image, the one that overlaps most with the right
 * one, as lmms-eval 0.7.2 picks it: this looks at the solution, and flatters. No box is {@link emptyBox}.
 *
 * @param region left, top, width and height in pixels
 */
export function groundingBox(
  answer: string,
  { bbox: [x, y, w, h], width, height }: Omit<RefcocoRegion, 'answer'>,
): GroundingBox {
  const truth: BoxCorners = [x, y, x + w, y + h];
  const candidates = parseGroundingBoxes(answer).flatMap((box): BoxCorners[] => [
    box,
    box.map((value, index) => (value / 1000) * (index % 2 === 0 ? width : height)) as unknown as BoxCorners,
  ]);
  return (
    candidates
      .map((box) => ({ box, overlap: boxOverlap(truth, box) }))
      .reduce<GroundingBox | undefined>(
        (best, each) => (best && !(each.overlap > best.overlap) ? best : each),
        undefined,
      ) ?? {
      box: emptyBox,
      overlap: boxOverlap(truth, emptyBox),
    }
  );
}
