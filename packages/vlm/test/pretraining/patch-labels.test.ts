import { CANVAS, COLOURS, type Scene, type SceneObject, SHAPES } from '@ocelli/data';
import { describe, expect, it } from 'vitest';
import { patchClasses, patchLabels } from '../../src/index.js';

function scene(...objects: SceneObject[]): Scene {
  return { background: 210, objects, text: null, chart: null };
}

describe('patch labels', () => {
  it('name colour and shape where an object covers the centre of a patch, and background elsewhere', () => {
    // Patches of 256 units; their centres are 128, 384, 640 and 896.
    const blueStar: SceneObject = { shape: 'star', colour: 'blue', size: 'large', x: 512, y: 384, extent: 288 };
    const redCircle: SceneObject = { shape: 'circle', colour: 'red', size: 'small', x: 900, y: 900, extent: 176 };
    const { colours, shapes } = patchLabels(scene(blueStar, redCircle), 4);
    const [blue, red] = [COLOURS.indexOf('blue') + 1, COLOURS.indexOf('red') + 1];
    const [star, circle] = [SHAPES.indexOf('star') + 1, SHAPES.indexOf('circle') + 1];
    // biome-ignore format: a row of patches a line
    expect([...colours]).toEqual([
      0, 0, 0, 0,
      0, blue, blue, 0,
      0, 0, 0, 0,
      0, 0, 0, red,
    ]);
    // biome-ignore format: a row of patches a line
    expect([...shapes]).toEqual([
      0, 0, 0, 0,
      0, star, star, 0,
      0, 0, 0, 0,
      0, 0, 0, circle,
    ]);
  });

  it('end at the border of the bounding box', () => {
    const square = (extent: number): SceneObject => ({
      shape: 'square',
      colour: 'cyan',
      size: 'large',
      x: CANVAS / 2,
      y: CANVAS / 2,
      extent,
    });
    const shown = (extent: number) => patchLabels(scene(square(extent)), 4).colours.filter((label) => label > 0).length;
    expect(shown(256)).toBe(0); // Centres lie on the border.
    expect(shown(258)).toBe(4);
  });

  it('have a class for each colour and shape, and one for the background', () => {
    expect(patchClasses).toEqual({ colours: 9, shapes: 7 });
    const last: SceneObject = {
      shape: SHAPES.at(-1)!,
      colour: COLOURS.at(-1)!,
      size: 'large',
      x: 512,
      y: 512,
      extent: 1000,
    };
    const { colours, shapes } = patchLabels(scene(last), 2);
    expect([...colours]).toEqual([8, 8, 8, 8]);
    expect([...shapes]).toEqual([6, 6, 6, 6]);
  });
});
