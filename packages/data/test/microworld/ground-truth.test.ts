import { describe, expect, it } from 'vitest';
import {
  CANVAS,
  corruptGroundTruth,
  decodeImage,
  decodeMask,
  encodeMask,
  fold,
  type GroundTruth,
  groundTruth,
  MicroworldError,
  objectMask,
  randomKey,
  rasterise,
  relationsOf,
  renderSceneSvg,
  type Scene,
  type SceneObject,
  type Shape,
  segmentMap,
  shiftMask,
} from '../../src/index.js';
import { COLOUR_VALUES } from '../../src/microworld/names.js';
import { scenesOf } from './scenes.js';

const object = (overrides: Partial<SceneObject> = {}): SceneObject => ({
  shape: 'square',
  colour: 'red',
  size: 'large',
  x: 512,
  y: 512,
  extent: 256,
  ...overrides,
});

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

describe('masks', () => {
  // Areas of the outlines as fractions of the bounding square.
  it.each<[Shape, number]>([
    ['square', 1],
    ['circle', Math.PI / 4],
    ['triangle', 1 / 2],
    ['diamond', 1 / 2],
    ['cross', 1 - 0.66 ** 2],
    ['star', (5 * 0.46 * Math.sin(Math.PI / 5)) / (1.9021 * 1.809)],
  ])('of a %s cover the area of its outline', (shape, fraction) => {
    const covered = sum(decodeMask(objectMask(object({ shape }), 512))) / 128 ** 2;
    expect(covered).toBeCloseTo(fraction, 2);
  });

  it('touch all four sides of the bounding box', () => {
    for (const shape of ['circle', 'triangle', 'diamond', 'cross', 'star'] as const) {
      const pixels = decodeMask(objectMask(object({ shape, x: 300, y: 700 }), 256));
      const covered = [...pixels.keys()].filter((index) => pixels[index] === 1);
      const columns = covered.map((index) => index % 256);
      const rows = covered.map((index) => Math.floor(index / 256));
      expect(Math.abs(Math.min(...columns) - (300 - 128) / 4)).toBeLessThanOrEqual(1);
      expect(Math.abs(Math.max(...columns) + 1 - (300 + 128) / 4)).toBeLessThanOrEqual(1);
      expect(Math.abs(Math.min(...rows) - (700 - 128) / 4)).toBeLessThanOrEqual(1);
      expect(Math.abs(Math.max(...rows) + 1 - (700 + 128) / 4)).toBeLessThanOrEqual(1);
    }
  });

  it('run down the columns and begin with zeros, as in COCO', () => {
    const pixels = Uint8Array.of(1, 0, 0, 1, 1, 0); // rows 100, 110
    expect(encodeMask(pixels, 2, 3)).toEqual({ size: [2, 3], counts: [0, 2, 1, 1, 2] });
    expect(decodeMask({ size: [2, 3], counts: [0, 2, 1, 1, 2] })).toEqual(pixels);
  });

  it('move, losing what leaves the picture', () => {
    const pixels = Uint8Array.of(1, 1, 0, 0, 1, 0);
    expect(decodeMask(shiftMask(encodeMask(pixels, 2, 3), 2, -1))).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0));
    expect(decodeMask(shiftMask(encodeMask(pixels, 2, 3), 1, -1))).toEqual(Uint8Array.of(0, 0, 1, 0, 0, 0));
  });

  it('refuse runs that do not add up', () => {
    expect(() => decodeMask({ size: [2, 3], counts: [1, 2] })).toThrow(MicroworldError);
  });
});

describe('groundTruth', () => {
  const scene: Scene = {
    background: 220,
    objects: [
      object({ x: 200, y: 300 }),
      object({ shape: 'star', colour: 'blue', x: 800, y: 310, size: 'small', extent: 128 }),
    ],
    text: { content: 'CAT', x: 100, y: 600, dot: 32 },
    chart: null,
  };

  it('gives boxes in pixels', () => {
    const truth = groundTruth(scene, 64);
    expect(truth.objects.map(({ box }) => box)).toEqual([
      [4.5, 10.75, 16, 16],
      [46, 15.375, 8, 8],
    ]);
    expect(truth.texts).toEqual([{ content: 'CAT', box: [6.25, 37.5, 34, 14] }]);
  });

  it('gives relations that are clear, and none between objects in line', () => {
    expect(relationsOf(scene.objects)).toEqual([
      { subject: 0, predicate: 'left of', object: 1 },
      { subject: 1, predicate: 'right of', object: 0 },
    ]);
    const nearly = [object({ x: 400 }), object({ x: 400 + 159, y: 0 })];
    expect(relationsOf(nearly).map(({ predicate }) => predicate)).toEqual(['below', 'above']);
  });

  it('numbers the pixels of objects in the panoptic map', () => {
    const map = segmentMap(groundTruth(scene, 64));
    expect(map[20 * 64 + 12]).toBe(1);
    expect(map[19 * 64 + 50]).toBe(2);
    expect(map[0]).toBe(0);
    expect(map.filter((value) => value === 1)).toHaveLength(256);
  });

  it.each([0, -4, 2.5])('refuses the size %s', (size) => {
    expect(() => groundTruth(scene, size)).toThrow(MicroworldError);
  });
});

describe('renderSceneSvg and rasterise', () => {
  const pixel = (image: { width: number; data: Uint8Array }, x: number, y: number): string =>
    `#${[0, 1, 2].map((channel) => image.data[(y * image.width + x) * 3 + channel]!.toString(16).padStart(2, '0')).join('')}`;

  it.each([64, 336])('draws at %i pixels what the truth says', async (size) => {
    for (const scene of scenesOf(20, 30)) {
      const image = await decodeImage(await rasterise(renderSceneSvg(scene, size), size));
      expect([image.width, image.height]).toEqual([size, size]);
      const truth = groundTruth(scene, size);
      for (const { mask, colour } of truth.objects) {
        // Interior pixels only: edges are antialiased, and so is the notch of a star between two pixel centres.
        const pixels = decodeMask(mask);
        const inside = [...pixels.keys()].filter((index) =>
          [-size, 0, size].every((row) => [-1, 0, 1].every((column) => pixels[index + row + column] === 1)),
        );
        const exact = inside.filter(
          (index) => pixel(image, index % size, Math.floor(index / size)) === COLOUR_VALUES[colour],
        );
        expect(inside.length).toBeGreaterThan(4);
        expect(exact.length / inside.length).toBeGreaterThan(0.8);
      }
      for (const {
        colour,
        box: [x, y, width, height],
      } of truth.chart?.bars ?? []) {
        expect(pixel(image, Math.floor(x + width / 2), Math.floor(y + height / 2))).toBe(COLOUR_VALUES[colour]);
      }
      const covered = segmentMap(truth);
      const grey = `#${scene.background.toString(16).repeat(3)}`;
      if (scene.text === null && scene.chart === null) {
        const free = [...covered.keys()].filter((index) => covered[index] === 0);
        const plain = free.filter((index) => pixel(image, index % size, Math.floor(index / size)) === grey);
        expect(plain.length / free.length).toBeGreaterThan(0.85);
      }
    }
  });

  it('draws words as dots of ink', async () => {
    const scene: Scene = { background: 230, objects: [], text: { content: 'LT', x: 64, y: 128, dot: 64 }, chart: null };
    const image = await decodeImage(await rasterise(renderSceneSvg(scene, 64), 64));
    const dots = Array.from({ length: 7 }, (_, row) =>
      Array.from({ length: 11 }, (_, column) =>
        pixel(image, 4 + column * 4 + 1, 8 + row * 4 + 1) === '#202020' ? '#' : '.',
      ).join(''),
    );
    expect(dots).toEqual([
      '#.....#####',
      '#.......#..',
      '#.......#..',
      '#.......#..',
      '#.......#..',
      '#.......#..',
      '#####...#..',
    ]);
  });

  it('draws bars as high as their values', async () => {
    const bars = [
      { colour: 'red', value: 2 },
      { colour: 'blue', value: 5 },
      { colour: 'green', value: 1 },
    ] as const;
    const scene: Scene = {
      background: 220,
      objects: [],
      text: null,
      chart: { x: 0, y: 0, extent: 1024, maximum: 6, bars },
    };
    const size = 512;
    const image = await decodeImage(await rasterise(renderSceneSvg(scene, size), size));
    const heights = bars.map(({ colour }) => {
      const {
        box: [x, , width],
      } = groundTruth(scene, size).chart!.bars.find((bar) => bar.colour === colour)!;
      const column = Math.floor(x + width / 2);
      return Array.from({ length: size }, (_, y) => pixel(image, column, y)).filter(
        (value) => value === COLOUR_VALUES[colour],
      ).length;
    });
    const unit = heights[2]!;
    expect(unit).toBeGreaterThan(60);
    expect(heights[0]! / unit).toBeCloseTo(2, 1);
    expect(heights[1]! / unit).toBeCloseTo(5, 1);
  });

  it('gives the same bytes for the same scene', async () => {
    const [scene] = scenesOf(21, 1);
    const first = await rasterise(renderSceneSvg(scene!, 96), 96);
    expect(await rasterise(renderSceneSvg(scene!, 96), 96)).toEqual(first);
  });

  it('refuses bad sizes and documents', async () => {
    const [scene] = scenesOf(22, 1);
    expect(() => renderSceneSvg(scene!, 0)).toThrow(MicroworldError);
    await expect(rasterise(renderSceneSvg(scene!, 64), 65)).rejects.toThrow(/65x65, received 64x64/);
    await expect(rasterise('<svg', 64)).rejects.toThrow(MicroworldError);
  });
});

describe('corruptGroundTruth', () => {
  const truths = scenesOf(30, 400).map((scene) => groundTruth(scene, 64));
  const corrupt = (rate: number): GroundTruth[] =>
    truths.map((truth, index) => corruptGroundTruth(truth, fold(randomKey(9), index), rate));

  it('returns the truth at rate 0 and repeats for one key', () => {
    expect(corrupt(0)).toEqual(truths);
    expect(corrupt(0.5)).toEqual(corrupt(0.5));
    expect(corruptGroundTruth(truths[0]!, randomKey(1), 1)).not.toEqual(
      corruptGroundTruth(truths[0]!, randomKey(2), 1),
    );
  });

  it.each([0.1, 0.4, 1])('makes errors at rate %f, of every kind', (rate) => {
    const kinds = { missed: 0, shape: 0, colour: 0, misplaced: 0, right: 0 };
    let words = 0;
    let wrongWords = 0;
    let bars = 0;
    let wrongBars = 0;
    corrupt(rate).forEach((reported, index) => {
      for (const original of truths[index]!.objects) {
        const found = reported.objects.find(({ id }) => id === original.id);
        if (found === undefined) kinds.missed++;
        else if (found.shape !== original.shape) kinds.shape++;
        else if (found.colour !== original.colour) kinds.colour++;
        else if (found.box[0] !== original.box[0] || found.box[1] !== original.box[1]) kinds.misplaced++;
        else kinds.right++;
      }
      words += truths[index]!.texts.length;
      wrongWords += truths[index]!.texts.filter(({ content }) => reported.texts[0]?.content !== content).length;
      truths[index]!.chart?.bars.forEach((bar, position) => {
        bars++;
        if (reported.chart!.bars[position]!.value !== bar.value) wrongBars++;
      });
    });
    const { right, ...errors } = kinds;
    const total = right + sum(Object.values(errors));
    expect(Math.abs(1 - right / total - rate)).toBeLessThan(0.04);
    expect(Math.abs(wrongWords / words - rate)).toBeLessThan(0.1);
    expect(Math.abs(wrongBars / bars - rate)).toBeLessThan(0.06);
    for (const count of Object.values(errors)) expect(Math.abs(count / (total * rate) - 0.25)).toBeLessThan(0.1);
  });

  it('leaves no relation of a missed object, and reverses or drops every relation at rate 1', () => {
    corrupt(1).forEach((reported, index) => {
      const ids = new Set(reported.objects.map(({ id }) => id));
      for (const relation of reported.relations) {
        expect(ids.has(relation.subject) && ids.has(relation.object)).toBe(true);
        expect(truths[index]!.relations).not.toContainEqual(relation);
      }
    });
  });

  it('moves mask and box together and keeps the box on the picture', () => {
    corrupt(1).forEach((reported, index) => {
      for (const { id, box, mask } of reported.objects) {
        const [x, y, width, height] = box;
        expect(x >= 0 && y >= 0 && x + width <= 64 && y + height <= 64).toBe(true);
        const original = truths[index]!.objects.find((other) => other.id === id)!;
        const [dx, dy] = [x - original.box[0], y - original.box[1]];
        expect(mask.counts.join()).toBe(shiftMask(original.mask, dx, dy).counts.join());
      }
    });
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses the rate %s', (rate) => {
    expect(() => corruptGroundTruth(truths[0]!, randomKey(1), rate)).toThrow(MicroworldError);
  });
});

it('scenes are laid out on the canvas of 1024 units that boxes are scaled from', () => {
  expect(CANVAS).toBe(1024);
});
