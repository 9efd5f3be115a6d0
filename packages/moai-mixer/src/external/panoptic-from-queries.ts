import { ShapeError } from '@ocelli/core-tensor';
import type { PanopticSegmentation } from '../verbalization/findings.js';
import { resizeBilinear } from './resize-bilinear.js';
import { softmaxOf, strongest } from './scores.js';

/** What a segmenter with queries gives for one picture. */
export interface SegmenterOutput {
  /** [queries, classes + 1], no object last. */
  readonly classLogits: Float32Array;
  /** [queries, height, width] */
  readonly maskLogits: Float32Array;
  readonly queries: number;
  /** Of the masks. */
  readonly height: number;
  /** Of the masks. */
  readonly width: number;
}

/** Options of {@link panopticFromQueries}. */
export interface PanopticOptions {
  /** Side of the map in pixels. Default: 490. */
  readonly imageSize?: number;
  /** Queries whose class is more probable than this. Default: 0.5. */
  readonly threshold?: number;
  /** What a pixel of a segment must reach somewhere. Default: 0.95. */
  readonly maskThreshold?: number;
  /** Share of the pixels that reach `maskThreshold` which a segment must own more than. Default: 0.8. */
  readonly overlapThreshold?: number;
}

/** Side that masks are brought to before they become probabilities. */
const maskSide = 384;

/**
 * Segments from the queries of Mask2Former, as MoAI takes them from Hugging Face's
 * `post_process_panoptic_segmentation`, without fusing any. Queries of an object are kept; each pixel goes to the one of
 * the highest product of mask and class probability; a query becomes a segment if some of its products reach the mask
 * threshold and it owns enough of those. `maskThreshold` decides whether a segment exists and does not shrink it. Ids are
 * 1, 2, … in the order of the queries; where no query is kept, the map is −1.
 *
 * @throws ShapeError if the logits are not as many as the sizes say
 */
export function panopticFromQueries(
  { classLogits, maskLogits, queries, height, width }: SegmenterOutput,
  { imageSize = 490, threshold = 0.5, maskThreshold = 0.95, overlapThreshold = 0.8 }: PanopticOptions = {},
): PanopticSegmentation {
  const classes = classLogits.length / queries;
  if (!Number.isInteger(classes) || classes < 2 || maskLogits.length !== queries * height * width) {
    throw new ShapeError({
      operation: 'panopticFromQueries',
      expected: `class logits [${queries}, classes + 1] and mask logits [${queries}, ${height}, ${width}]`,
      received: [[classLogits.length], [maskLogits.length]],
    });
  }
  const area = imageSize ** 2;
  const kept = Array.from({ length: queries }, (_, query) => {
    const { label, probability } = likeliestClass(classLogits.subarray(query * classes, (query + 1) * classes));
    return { query, label, probability };
  }).filter(({ label, probability }) => label !== classes - 1 && probability > threshold);
  const size = { height: imageSize, width: imageSize };
  if (kept.length === 0) return { ...size, ids: new Int16Array(area).fill(-1), segments: [] };

  const owners = new Int16Array(area).fill(-1);
  const highest = new Float32Array(area).fill(Number.NEGATIVE_INFINITY);
  const reaching = kept.map(({ query, probability }, index) => {
    const values = maskLogits.subarray(query * height * width, (query + 1) * height * width);
    const larger = resizeBilinear({ height, width, values }, [maskSide, maskSide]);
    const probabilities = { ...larger, values: larger.values.map((logit) => 1 / (1 + Math.exp(-logit))) };
    const products = resizeBilinear(probabilities, [imageSize, imageSize]).values.map((mask) => mask * probability);
    let count = 0;
    products.forEach((product, pixel) => {
      if (product >= maskThreshold) count++;
      if (product > highest[pixel]!) {
        highest[pixel] = product;
        owners[pixel] = index;
      }
    });
    return count;
  });
  const owned = new Int32Array(kept.length);
  for (const owner of owners) owned[owner]!++;
  const isSegment = kept.map(
    (_, index) => reaching[index]! > 0 && owned[index]! > 0 && owned[index]! / reaching[index]! > overlapThreshold,
  );
  let last = 0;
  const idOf = isSegment.map((is) => (is ? ++last : 0));
  return {
    ...size,
    ids: owners.map((owner) => idOf[owner]!),
    segments: kept.flatMap(({ label }, index) => (isSegment[index] ? [{ id: idOf[index]!, label }] : [])),
  };
}

function likeliestClass(logits: Float32Array): { readonly label: number; readonly probability: number } {
  const label = strongest(logits);
  return { label, probability: softmaxOf(logits)[label]! };
}
