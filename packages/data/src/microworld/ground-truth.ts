import { barBoxes, chartBox, textBox } from './geometry.js';
import { decodeMask, objectMask, type RunLengthMask } from './mask.js';
import { MicroworldError } from './microworld-error.js';
import type { Colour, ObjectSize, Shape } from './names.js';
import { type Relation, relationsOf } from './relations.js';
import { type Box, CANVAS, objectBox, type Scene } from './scene.js';

/** An object as a perfect detector and segmenter would report it. */
export interface TrueObject {
  /** Identifies the object within its scene; relations refer to it. */
  readonly id: number;
  readonly shape: Shape;
  readonly colour: Colour;
  readonly size: ObjectSize;
  /** Left, top, width, height in pixels, not rounded. */
  readonly box: Box;
  readonly mask: RunLengthMask;
}

/** A piece of text as a perfect reader would report it. */
export interface TrueText {
  readonly content: string;
  readonly box: Box;
}

/** A chart as a perfect chart reader would report it. */
export interface TrueChart {
  readonly box: Box;
  readonly bars: readonly { readonly colour: Colour; readonly value: number; readonly box: Box }[];
}

/** What is in a picture of a scene. All boxes are in its pixels; `relations` refer to objects by id. */
export interface GroundTruth {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly TrueObject[];
  readonly relations: readonly Relation[];
  readonly texts: readonly TrueText[];
  readonly chart: TrueChart | null;
}

/**
 * The boxes, masks, relations, text and chart values of a scene drawn at `size` × `size` pixels.
 *
 * @param size side of the picture in pixels
 * @throws MicroworldError if the size is not a positive integer
 */
export function groundTruth(scene: Scene, size: number): GroundTruth {
  if (!Number.isInteger(size) || size < 1) {
    throw new MicroworldError({
      operation: 'groundTruth',
      expected: 'a positive integer size in pixels',
      received: String(size),
      remedy: 'give the size of the picture',
      option: 'size',
      value: size,
    });
  }
  const toPixels = (box: Box): Box => [
    (box[0] * size) / CANVAS,
    (box[1] * size) / CANVAS,
    (box[2] * size) / CANVAS,
    (box[3] * size) / CANVAS,
  ];
  const { chart, text } = scene;
  return {
    width: size,
    height: size,
    objects: scene.objects.map((object, id) => ({
      id,
      shape: object.shape,
      colour: object.colour,
      size: object.size,
      box: toPixels(objectBox(object)),
      mask: objectMask(object, size),
    })),
    relations: relationsOf(scene.objects),
    texts: text === null ? [] : [{ content: text.content, box: toPixels(textBox(text)) }],
    chart:
      chart === null
        ? null
        : {
            box: toPixels(chartBox(chart)),
            bars: barBoxes(chart).map((box, index) => ({ ...chart.bars[index]!, box: toPixels(box) })),
          },
  };
}

/**
 * The panoptic map of a truth: every pixel holds the position of its object in `objects`, counted from 1, or 0 for none.
 * Later objects cover earlier ones.
 *
 * @returns [height, width], row-major
 */
export function segmentMap({ width, height, objects }: GroundTruth): Uint8Array {
  const map = new Uint8Array(width * height);
  objects.forEach((object, index) => {
    const pixels = decodeMask(object.mask);
    for (let pixel = 0; pixel < pixels.length; pixel++) if (pixels[pixel] === 1) map[pixel] = index + 1;
  });
  return map;
}
