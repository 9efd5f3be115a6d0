import { fold, type RandomKey, randomSource } from '../random.js';
import { namedObjects } from './question.js';
import { imageName } from './records.js';
import { CANVAS, objectBox, type Scene } from './scene.js';

/** A line of RefCOCO in the form that grounding evaluations read. */
export interface RefcocoRow {
  readonly image: string;
  readonly sent: string;
  /** Left, top, right, bottom in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly width: number;
  readonly height: number;
}

/** One object of each scene that colour and shape identify, with its box in a picture of `size` × `size` pixels. */
export function refcocoRows(scenes: readonly Scene[], key: RandomKey, size: number): RefcocoRow[] {
  const source = randomSource(fold(key, 'refcoco'));
  return scenes.flatMap((scene, index) => {
    const named = namedObjects(scene);
    if (named.length === 0) return [];
    const { name, object } = source.pick(named);
    const [x, y, width, height] = objectBox(object);
    const pixels = (value: number): number => (value * size) / CANVAS;
    return [
      {
        image: imageName(index),
        sent: name,
        bbox: [pixels(x), pixels(y), pixels(x + width), pixels(y + height)],
        width: size,
        height: size,
      },
    ];
  });
}
