import { fold, type RandomKey, type RandomSource, randomSource } from '../random.js';
import { boxesCollide, chartBox, textBox } from './geometry.js';
import { GLYPH_ROWS, wordColumns } from './glyphs.js';
import { MicroworldError } from './microworld-error.js';
import type { Shape } from './names.js';
import { type Box, CANVAS, objectBox, type Scene, type SceneChart, type SceneObject, type SceneText } from './scene.js';
import { CELL_MARGIN, type SceneOptions, type SceneOptionsInput, sceneOptions } from './scene-options.js';

/** Largest displacement of an object from the centre of its cell: columns and rows stay recognisable. */
const MAXIMUM_JITTER = 48;

const TEXT_DOT = 32;
const CHART_EXTENT = 640;
const CHART_MAXIMUM = 6;

/** Distance kept between things, and to the border of the canvas. */
const GAP = 16;

const LAYOUT_ATTEMPTS = 32;
const PLACEMENT_ATTEMPTS = 200;

/**
 * Draws a scene. The same key and options give the same scene on every platform.
 *
 * A scene with a chart holds no squares, because a bar can look like one.
 *
 * @throws MicroworldError if an option is invalid, or the smallest number of objects does not fit on the canvas
 */
export function sampleScene(key: RandomKey, options: SceneOptionsInput = {}): Scene {
  return sampleValidScene(key, sceneOptions(options));
}

/** {@link sampleScene} on options that have been validated already. */
export function sampleValidScene(key: RandomKey, options: SceneOptions): Scene {
  for (let attempt = 0; attempt < LAYOUT_ATTEMPTS; attempt++) {
    const scene = layOut(randomSource(fold(key, attempt)), options);
    if (scene !== null) return scene;
  }
  throw new MicroworldError({
    operation: 'sampleScene',
    expected: `at least ${options.objects.minimum} objects to fit`,
    received: `a canvas too full in ${LAYOUT_ATTEMPTS} layouts`,
    remedy: 'use fewer or smaller objects',
    option: 'objects.minimum',
    value: options.objects.minimum,
  });
}

function layOut(source: RandomSource, options: SceneOptions): Scene | null {
  const background = 206 + source.integer(25);
  const content = options.content === 'any' ? source.pick(['shapes', 'text', 'chart'] as const) : options.content;
  const text = content === 'text' ? sampleText(source, options) : null;
  const chart = content === 'chart' ? sampleChart(source, options) : null;
  const obstacles: Box[] = [];
  if (text !== null) obstacles.push(withGap(textBox(text)));
  if (chart !== null) obstacles.push(chartBox(chart));

  const wanted = options.objects.minimum + source.integer(options.objects.maximum - options.objects.minimum + 1);
  const place = options.placement === 'grid' ? gridPlacement(source, options, obstacles) : freePlacement(source);
  const objects: SceneObject[] = [];
  for (let index = 0; index < wanted; index++) {
    const kind = sampleKind(source, options, objects, chart !== null);
    const object = place(kind, [...obstacles, ...objects.map(objectBox)]);
    if (object === null) break;
    objects.push(object);
  }
  return objects.length < options.objects.minimum ? null : { background, objects, text, chart };
}

function withGap([x, y, width, height]: Box): Box {
  return [x - GAP, y - GAP, width + 2 * GAP, height + 2 * GAP];
}

type ObjectKind = Omit<SceneObject, 'x' | 'y'>;
type Place = (kind: ObjectKind, occupied: readonly Box[]) => SceneObject | null;

function sampleKind(
  source: RandomSource,
  options: SceneOptions,
  earlier: readonly SceneObject[],
  besideChart: boolean,
): ObjectKind {
  const size = source.pick(['small', 'large'] as const);
  const shapes: readonly Shape[] = besideChart ? options.shapes.filter((shape) => shape !== 'square') : options.shapes;
  const copies = earlier.length > 0 && source.chance(options.repetition);
  const original = copies ? source.pick(earlier) : null;
  const copiesShape = source.chance(0.5);
  return {
    shape: original !== null && copiesShape ? original.shape : source.pick(shapes),
    colour: original !== null && !copiesShape ? original.colour : source.pick(options.colours),
    size,
    extent: options.sizes[size],
  };
}

/** One object a cell, in random order of the cells that nothing else covers. */
function gridPlacement(source: RandomSource, { grid }: SceneOptions, obstacles: readonly Box[]): Place {
  const width = Math.floor(CANVAS / grid.columns);
  const height = Math.floor(CANVAS / grid.rows);
  const cells: Box[] = [];
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const cell: Box = [column * width, row * height, width, height];
      if (!obstacles.some((obstacle) => boxesCollide(cell, obstacle, 0))) cells.push(cell);
    }
  }
  const order = source.shuffle(cells);
  return (kind) => {
    const cell = order.pop();
    if (cell === undefined) return null;
    const jitter = (side: number): number => {
      const room = Math.min(MAXIMUM_JITTER, Math.floor((side - kind.extent) / 2) - CELL_MARGIN);
      return source.integer(2 * room + 1) - room;
    };
    return {
      ...kind,
      x: cell[0] + Math.floor(width / 2) + jitter(width),
      y: cell[1] + Math.floor(height / 2) + jitter(height),
    };
  };
}

/** Anywhere on the canvas, redrawn until nothing overlaps. */
function freePlacement(source: RandomSource): Place {
  return (kind, occupied) => {
    const half = kind.extent / 2;
    const room = CANVAS - kind.extent - 2 * GAP;
    for (let attempt = 0; room >= 0 && attempt < PLACEMENT_ATTEMPTS; attempt++) {
      const object: SceneObject = {
        ...kind,
        x: GAP + half + source.integer(room + 1),
        y: GAP + half + source.integer(room + 1),
      };
      if (!occupied.some((box) => boxesCollide(objectBox(object), box, GAP))) return object;
    }
    return null;
  };
}

/** A word within one row of thirds, anywhere along it. */
function sampleText(source: RandomSource, { words }: SceneOptions): SceneText {
  const content = source.pick(words);
  const third = Math.floor(CANVAS / 3);
  const width = wordColumns(content) * TEXT_DOT;
  const height = GLYPH_ROWS * TEXT_DOT;
  const x = GAP + source.integer(CANVAS - width - 2 * GAP + 1);
  const y = source.integer(3) * third + GAP + source.integer(third - height - 2 * GAP + 1);
  return { content, x, y, dot: TEXT_DOT };
}

/** A panel in one corner, with three or four bars of different colours and values. */
function sampleChart(source: RandomSource, { colours }: SceneOptions): SceneChart {
  const count = 3 + source.integer(2);
  const chosen = source.shuffle(colours).slice(0, count);
  const values = source.shuffle(Array.from({ length: CHART_MAXIMUM }, (_, index) => index + 1));
  const corner = (): number => {
    const room = Math.floor((2 * CANVAS) / 3) - CHART_EXTENT - GAP;
    const offset = GAP + source.integer(room);
    return source.chance(0.5) ? offset : CANVAS - CHART_EXTENT - offset;
  };
  return {
    x: corner(),
    y: corner(),
    extent: CHART_EXTENT,
    maximum: CHART_MAXIMUM,
    bars: chosen.map((colour, index) => ({ colour, value: values[index]! })),
  };
}
