import { detectionQueries } from '../vocabularies/index.js';
import { boxText, publishedImageSize, relativeBox } from './box-text.js';
import { boxOpening, sentence } from './clauses.js';
import type { DetectedObject } from './findings.js';
import { nameOf } from './name-of.js';

/** Options of {@link verbalizeDetections}. */
export interface DetectionTextOptions {
  /** Default: {@link detectionQueries}. */
  readonly names?: readonly string[];
  /** Side in pixels that is 1. Default: 490. */
  readonly imageSize?: number;
  /** Objects of at least this score. Default: 0.5. */
  readonly threshold?: number;
}

/**
 * The text of a detector's objects: a box and a name each.
 *
 * @throws ConfigError for an object without a name
 */
export function verbalizeDetections(
  objects: readonly DetectedObject[],
  { names = detectionQueries, imageSize = publishedImageSize, threshold = 0.5 }: DetectionTextOptions = {},
): string {
  const items = objects
    .filter(({ score }) => score >= threshold)
    .map(({ box, label }) => `${boxText(relativeBox(box, imageSize))} ${nameOf(names, label, 'verbalizeDetections')}`);
  return sentence(boxOpening, items);
}
