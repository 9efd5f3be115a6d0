import { ShapeError } from '@ocelli/core-tensor';
import type { DetectedObject } from '../verbalization/findings.js';
import { strongest } from './scores.js';

/** What an open-world detector gives for one picture. */
export interface DetectorOutput {
  /** [boxes, names]: how well each name fits each box. */
  readonly logits: Float32Array;
  /** [boxes, 4]: centre, width and height as shares of the picture's side. */
  readonly boxes: Float32Array;
}

/** Options of {@link detectionsFromQueries}. */
export interface DetectionOptions {
  /** Side of the picture in pixels. Default: 490. */
  readonly imageSize?: number;
  /** Boxes whose best name has a higher score than this. Default: 0.1. */
  readonly threshold?: number;
}

/**
 * Objects from the boxes of OWLv2, as MoAI takes them from Hugging Face's `post_process_object_detection`: each box has
 * its best name, boxes may overlap, and reach beyond the picture.
 *
 * @throws ShapeError if boxes and logits are not as many
 */
export function detectionsFromQueries(
  { logits, boxes }: DetectorOutput,
  { imageSize = 490, threshold = 0.1 }: DetectionOptions = {},
): DetectedObject[] {
  const count = boxes.length / 4;
  const names = logits.length / count;
  if (!Number.isInteger(count) || (count > 0 && !Number.isInteger(names))) {
    throw new ShapeError({
      operation: 'detectionsFromQueries',
      expected: 'boxes [boxes, 4] and logits [boxes, names]',
      received: [[boxes.length], [logits.length]],
    });
  }
  return Array.from({ length: count }, (_, index): DetectedObject => {
    const scores = logits.subarray(index * names, (index + 1) * names);
    const label = strongest(scores);
    const [x, y, width, height] = boxes.subarray(index * 4, index * 4 + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const edges = [x - width / 2, y - height / 2, x + width / 2, y + height / 2] as const;
    return {
      box: edges.map((edge) => edge * imageSize) as unknown as DetectedObject['box'],
      score: 1 / (1 + Math.exp(-scores[label]!)),
      label,
    };
  }).filter(({ score }) => score > threshold);
}
