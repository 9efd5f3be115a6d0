import { type BoxCorners, parseBracketedBox } from '../answers/box.js';
import { BenchmarkError, requireRows } from '../benchmark-error.js';
import { boxOverlap } from '../metrics/box-overlap.js';
import { type Share, shareOf } from '../metrics/share.js';
import { formatFloat, roundPython } from '../text/python-number.js';

const { fround } = Math;

/** The question of ConvLLaVA's evaluation, and of LLaVA's training data. */
export function refcocoQuestion(sentence: string): string {
  return `Please provide the bounding box coordinate of the region this sentence describes: ${sentence}.`;
}

/** Width and height of an image, in pixels. */
export interface ImageExtent {
  readonly width: number;
  readonly height: number;
}

/** Pixels that padding to a square puts on either side of an image. */
function squarePadding({ width, height }: ImageExtent) {
  return { x: Math.floor(Math.max(0, height - width) / 2), y: Math.floor(Math.max(0, width - height) / 2) };
}

/** A box that was read from an answer. */
export interface ReadBox {
  /** As they were written; zeros if there was no box. */
  readonly values: BoxCorners;
  /** Whether there were four numbers. */
  readonly parsed: boolean;
  /** Whether the numbers were taken for thousandths of the padded square. */
  readonly thousandths: boolean;
  /** In pixels of the image; may lie outside of it. */
  readonly box: BoxCorners;
}

/**
 * The box in an answer, whose numbers are fractions of the image padded to a square; or thousandths of it, if they sum to
 * 4 or more (so that `[1, 1, 1, 1]` are thousandths). No box is a box of zeros. In float32.
 *
 * Source: alibaba/conv-llava `llava/eval/evaluate_grounding.py`.
 */
export function readRefcocoBox(answer: string, image: ImageExtent): ReadBox {
  const found = parseBracketedBox(answer);
  const values = found ?? [0, 0, 0, 0];
  const thousandths = values.map(fround).reduce((sum, value) => fround(sum + value), 0) >= 4;
  const side = Math.max(image.width, image.height);
  const padding = squarePadding(image);
  const box = values.map((value, index) => {
    const fraction = thousandths ? fround(fround(value) / 1000) : fround(value);
    return fround(fround(fraction * side) - (index % 2 === 0 ? padding.x : padding.y));
  });
  return { values, parsed: found !== undefined, thousandths, box: box as unknown as BoxCorners };
}

/**
 * A box as LLaVA's training data writes it: fractions of the image padded to a square, two decimals at most.
 *
 * @param box in pixels of the image
 */
export function refcocoBoxText(box: BoxCorners, image: ImageExtent): string {
  const side = Math.max(image.width, image.height);
  const padding = squarePadding(image);
  const texts = box.map((value, index) =>
    formatFloat(roundPython((value + (index % 2 === 0 ? padding.x : padding.y)) / side, 2)),
  );
  return `[${texts.join(', ')}]`;
}

/** An expression of RefCOCO, RefCOCO+ or RefCOCOg, the box that it refers to, and what a model answered. */
export interface RefcocoAnswer extends ImageExtent {
  /** In pixels of the image. */
  readonly box: BoxCorners;
  readonly answer: string;
}

/** Share of answers whose overlap reaches the threshold (Precision @ 1), and each overlap in the order of the rows. */
export interface RefcocoScore extends Share {
  readonly overlaps: readonly number[];
}

/**
 * Scores answers to referring expressions: right if the intersection over union is 0.5 or more.
 *
 * @throws BenchmarkError if there are no rows, or an image has no pixels
 */
export function scoreRefcoco(
  rows: readonly RefcocoAnswer[],
  { threshold = 0.5 }: { readonly threshold?: number } = {},
): RefcocoScore {
  requireRows('RefCOCO', rows);
  const overlaps = rows.map((row) => {
    if (!(row.width > 0 && row.height > 0)) {
      throw new BenchmarkError({
        operation: 'score RefCOCO',
        expected: 'an image with pixels',
        received: `${row.width} × ${row.height}`,
        value: row,
      });
    }
    return boxOverlap(readRefcocoBox(row.answer, row).box, row.box, { precision: 'float32' });
  });
  return { ...shareOf(overlaps.map((overlap) => overlap >= threshold)), overlaps };
}
