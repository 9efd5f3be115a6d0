import { ShapeError } from '@ocelli/core-tensor';
import { cocoPanopticClasses } from '../vocabularies/index.js';
import { type Box, boxText, publishedImageSize, relativeBox } from './box-text.js';
import { boxOpening, plainName, sentence } from './clauses.js';
import type { PanopticSegmentation } from './findings.js';
import { nameOf } from './name-of.js';

/** Options of {@link verbalizeSegmentation}. */
export interface SegmentationTextOptions {
  /** Default: COCO panoptic. */
  readonly names?: readonly string[];
  /** Side in pixels that is 1. Default: 490. */
  readonly imageSize?: number;
  /**
   * Which name a box gets. `position`: boxes by ascending id take the names of the list in its order, and a list longer
   * than the boxes makes the whole text empty, as the published model was trained with; segmenters list segments by
   * ascending id, so that the two seldom differ. `id`: each box the name of its own segment; segments without a pixel
   * are left out. Default: `position`.
   */
  readonly pairing?: 'position' | 'id';
}

/**
 * The text of a segmentation: a box and a class per segment.
 *
 * @throws ShapeError if the map does not have its size
 * @throws ConfigError for a class without a name
 */
export function verbalizeSegmentation(
  segmentation: PanopticSegmentation,
  { names = cocoPanopticClasses, imageSize = publishedImageSize, pairing = 'position' }: SegmentationTextOptions = {},
): string {
  const boxes = segmentBoxes(segmentation);
  const { segments } = segmentation;
  const item = (box: Box, label: number) =>
    `${boxText(relativeBox(box, imageSize))} ${plainName(nameOf(names, label, 'verbalizeSegmentation'))}`;
  if (pairing === 'id') {
    const listed = segments.flatMap(({ id, label }) => {
      const box = boxes.get(id);
      return box ? [item(box, label)] : [];
    });
    return sentence(boxOpening, listed);
  }
  if (segments.length > boxes.size) return '';
  const inOrder = [...boxes.values()];
  return sentence(
    boxOpening,
    segments.map(({ label }, index) => item(inOrder[index]!, label)),
  );
}

/** The tightest box of each segment in pixels, by ascending id; right and bottom edges are behind the last pixel. */
export function segmentBoxes({ height, width, ids }: PanopticSegmentation): Map<number, Box> {
  if (ids.length !== height * width) {
    throw new ShapeError({
      operation: 'segmentBoxes',
      expected: `a map of ${height} × ${width} pixels`,
      received: [[ids.length]],
    });
  }
  const edges = new Map<number, [number, number, number, number]>();
  for (let pixel = 0; pixel < ids.length; pixel++) {
    const id = ids[pixel]!;
    if (id <= 0) continue;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const box = edges.get(id);
    if (!box) {
      edges.set(id, [x, y, x + 1, y + 1]);
      continue;
    }
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + 1);
    box[3] = Math.max(box[3], y + 1);
  }
  return new Map([...edges].sort(([a], [b]) => a - b));
}
