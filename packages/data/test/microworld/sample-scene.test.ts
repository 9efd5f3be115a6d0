import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  CANVAS,
  COLOURS,
  MicroworldError,
  randomKey,
  type Scene,
  type SceneObject,
  SHAPES,
  sampleScene,
  sceneOptions,
} from '../../src/index.js';
import { textBox } from '../../src/microworld/geometry.js';
import { GLYPH_CHARACTERS, wordColumns, wordRuns } from '../../src/microworld/glyphs.js';
import { scenesOf } from './scenes.js';

type Rectangle = readonly [number, number, number, number];

const box = ({ x, y, extent }: SceneObject): Rectangle => [x - extent / 2, y - extent / 2, extent, extent];

/** Everything drawn: objects, text, chart panel. */
function rectangles(scene: Scene): Rectangle[] {
  return [
    ...scene.objects.map(box),
    ...(scene.text === null ? [] : [textBox(scene.text)]),
    ...(scene.chart === null ? [] : [[scene.chart.x, scene.chart.y, scene.chart.extent, scene.chart.extent] as const]),
  ];
}

const apart = (a: Rectangle, b: Rectangle): boolean =>
  a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1];

describe('sampleScene', () => {
  it('gives the pinned scenes of seed 1', () => {
    const hash = createHash('sha256')
      .update(JSON.stringify(scenesOf(1, 200)))
      .digest('hex');
    expect(hash).toBe('629312c957bb7cd61ae84dfc8aeafbb35f7f3e75c9582e1a4e6d9889589728e8');
  });

  it('repeats for one key and differs between keys', () => {
    const [first, second] = scenesOf(2, 2);
    expect(sampleScene(randomKey(2))).toEqual(sampleScene(randomKey(2)));
    expect(first).not.toEqual(second);
  });

  it.each(['grid', 'free'] as const)('keeps everything on the canvas and apart, placement %s', (placement) => {
    for (const scene of scenesOf(3, 300, { placement })) {
      const all = rectangles(scene);
      for (const [index, [x, y, width, height]] of all.entries()) {
        expect(x >= 0 && y >= 0 && x + width <= CANVAS && y + height <= CANVAS).toBe(true);
        for (const other of all.slice(index + 1)) expect(apart(all[index]!, other)).toBe(true);
      }
    }
  });

  it('keeps objects at least 10 pixels wide in pictures of 64 pixels', () => {
    const extents = scenesOf(4, 200).flatMap(({ objects }) => objects.map(({ extent }) => (extent * 64) / CANVAS));
    expect(Math.min(...extents)).toBe(11);
    expect(Math.max(...extents)).toBe(18);
  });

  it('draws every number of objects, shape, colour and size about equally often', () => {
    const scenes = scenesOf(5, 2000, { content: 'shapes', repetition: 0 });
    const objects = scenes.flatMap((scene) => scene.objects);
    const share = <T>(items: readonly T[], accepts: (item: T) => boolean): number =>
      items.filter(accepts).length / items.length;
    for (let count = 1; count <= 5; count++) {
      expect(share(scenes, (scene) => scene.objects.length === count)).toBeCloseTo(1 / 5, 1);
    }
    for (const shape of SHAPES)
      expect(Math.abs(share(objects, (object) => object.shape === shape) - 1 / 6)).toBeLessThan(0.02);
    for (const colour of COLOURS)
      expect(Math.abs(share(objects, (object) => object.colour === colour) - 1 / 8)).toBeLessThan(0.02);
    expect(Math.abs(share(objects, (object) => object.size === 'small') - 1 / 2)).toBeLessThan(0.03);
  });

  it('shows a word or a chart when asked to', () => {
    for (const scene of scenesOf(6, 60, { content: 'text', words: ['AB', 'C3D'] })) {
      expect(['AB', 'C3D']).toContain(scene.text!.content);
      expect(scene.chart).toBeNull();
    }
    for (const { chart, text, objects } of scenesOf(7, 60, { content: 'chart' })) {
      expect(text).toBeNull();
      expect(new Set(chart!.bars.map(({ value }) => value)).size).toBe(chart!.bars.length);
      expect(new Set(chart!.bars.map(({ colour }) => colour)).size).toBe(chart!.bars.length);
      expect(Math.max(...chart!.bars.map(({ value }) => value))).toBeLessThanOrEqual(chart!.maximum);
      expect(objects.map(({ shape }) => shape)).not.toContain('square');
    }
  });

  it('draws from the shapes and colours given', () => {
    const scenes = scenesOf(8, 50, { shapes: ['star', 'cross'], colours: ['red', 'blue', 'pink', 'cyan'] });
    const objects = scenes.flatMap((scene) => scene.objects);
    expect(new Set(objects.map(({ shape }) => shape))).toEqual(new Set(['star', 'cross']));
    expect(new Set(objects.map(({ colour }) => colour))).toEqual(new Set(['red', 'blue', 'pink', 'cyan']));
  });

  it('repeats shapes and colours more often when told to', () => {
    const pairs = (repetition: number): number =>
      scenesOf(9, 300, { repetition, content: 'shapes' }).filter(
        ({ objects }) => new Set(objects.map(({ shape }) => shape)).size < objects.length,
      ).length;
    expect(pairs(0.9)).toBeGreaterThan(pairs(0) + 60);
  });

  it('uses finer grids', () => {
    const options = {
      grid: { columns: 5, rows: 4 },
      sizes: { small: 100, large: 180 },
      objects: { minimum: 12, maximum: 12 },
    };
    for (const { objects } of scenesOf(10, 20, { ...options, content: 'shapes' })) expect(objects).toHaveLength(12);
  });

  it('refuses more objects than fit, instead of trying for ever', () => {
    const crowded = {
      placement: 'free',
      objects: { minimum: 16, maximum: 16 },
      sizes: { small: 280, large: 288 },
    } as const;
    expect(() => sampleScene(randomKey(1), crowded)).toThrow(MicroworldError);
    expect(() => sampleScene(randomKey(1), crowded)).toThrow(/at least 16 objects to fit/);
    const full = { content: 'chart', objects: { minimum: 6, maximum: 9 } } as const;
    expect(() => sampleScene(randomKey(1), full)).toThrow(/at least 6 objects to fit/);
  });
});

describe('sceneOptions', () => {
  it.each([
    [{ colour: ['red'] }, 'colour'],
    [{ objects: { minimum: 3, maximum: 2 } }, 'objects'],
    [{ objects: { minimum: 0, maximum: 2 } }, 'objects.minimum'],
    [{ objects: { minimum: 1, maximum: 10 } }, 'objects.maximum'],
    [{ shapes: ['circle', 'circle'] }, 'shapes'],
    [{ shapes: ['circle', 'hexagon'] }, 'shapes'],
    [{ colours: ['red', 'blue'] }, 'colours'],
    [{ sizes: { small: 200, large: 100 } }, 'sizes'],
    [{ sizes: { small: 100, large: 340 } }, 'sizes.large'],
    [{ grid: { columns: 4, rows: 3 } }, 'sizes.large'],
    [{ words: ['cat', 'DOG'] }, 'words'],
    [{ words: ['LONGER', 'DOG'] }, 'words'],
    [{ repetition: 1.5 }, 'repetition'],
    [{ content: 'nothing' }, 'content'],
  ])('refuses %j naming the option', (options, option) => {
    expect(() => sceneOptions(options as never)).toThrow(MicroworldError);
    expect(() => sceneOptions(options as never)).toThrow(option);
  });
});

describe('glyphs', () => {
  it('exist for A–Z and 0–9, all different, seven rows high', () => {
    expect(GLYPH_CHARACTERS).toHaveLength(36);
    const drawings = GLYPH_CHARACTERS.map((character) => JSON.stringify(wordRuns(character)));
    expect(new Set(drawings).size).toBe(36);
    for (const character of GLYPH_CHARACTERS) {
      const runs = wordRuns(character);
      expect(Math.min(...runs.map(({ row }) => row))).toBe(0);
      expect(Math.max(...runs.map(({ row }) => row))).toBe(6);
      expect(Math.max(...runs.map(({ column, length }) => column + length))).toBeLessThanOrEqual(5);
    }
  });

  it('stand one dot apart', () => {
    expect(wordColumns('CAT')).toBe(17);
    const first = wordRuns('L').map(({ column }) => column);
    expect(
      wordRuns('TL')
        .filter(({ column }) => column >= 5)
        .map(({ column }) => column),
    ).toEqual(first.map((column) => column + 6));
  });
});
