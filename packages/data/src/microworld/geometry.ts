import { GLYPH_ROWS, wordColumns } from './glyphs.js';
import type { Shape } from './names.js';
import { type Box, CANVAS, type SceneChart, type SceneObject, type SceneText } from './scene.js';

/**
 * Outlines in thousandths of half the extent, centred on the object. Integers rather than sines: every platform then
 * agrees on every vertex.
 */
// biome-ignore format: a vertex a line would hide the shapes
const OUTLINES: Readonly<Record<Exclude<Shape, 'circle'>, readonly (readonly [x: number, y: number])[]>> = {
  square: [[-1000, -1000], [1000, -1000], [1000, 1000], [-1000, 1000]],
  triangle: [[0, -1000], [1000, 1000], [-1000, 1000]],
  diamond: [[0, -1000], [1000, 0], [0, 1000], [-1000, 0]],
  cross: [
    [-340, -1000], [340, -1000], [340, -340], [1000, -340], [1000, 340], [340, 340],
    [340, 1000], [-340, 1000], [-340, 340], [-1000, 340], [-1000, -340], [-340, -340],
  ],
  star: [
    [0, -1000], [284, -306], [1000, -236], [460, 263], [618, 1000],
    [0, 614], [-618, 1000], [-460, 263], [-1000, -236], [-284, -306],
  ],
};

/** The vertices of an object's outline in canvas units, or `null` for a circle. */
export function outline(object: SceneObject): (readonly [x: number, y: number])[] | null {
  if (object.shape === 'circle') return null;
  const half = object.extent / 2;
  return OUTLINES[object.shape].map(([x, y]) => [object.x + (x * half) / 1000, object.y + (y * half) / 1000]);
}

/** A test of whether a point of the canvas lies inside an object. */
export function insideTest(object: SceneObject): (x: number, y: number) => boolean {
  const vertices = outline(object);
  if (vertices === null) {
    const half = object.extent / 2;
    return (x, y) => (x - object.x) ** 2 + (y - object.y) ** 2 <= half * half;
  }
  return (x, y) => {
    let inside = false;
    let [x0, y0] = vertices[vertices.length - 1]!;
    for (const [x1, y1] of vertices) {
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) * (x1 - x0)) / (y1 - y0)) inside = !inside;
      x0 = x1;
      y0 = y1;
    }
    return inside;
  };
}

/** The bounding box of a word, canvas units. */
export function textBox(text: SceneText): Box {
  return [text.x, text.y, wordColumns(text.content) * text.dot, GLYPH_ROWS * text.dot];
}

/** The panel of a chart, canvas units. */
export function chartBox(chart: SceneChart): Box {
  return [chart.x, chart.y, chart.extent, chart.extent];
}

/** Width of the axes, and distance between panel border and axes, as fractions 1/64 and 3/64 of the panel. */
const axisWidth = (chart: SceneChart): number => chart.extent / 64;
const inset = (chart: SceneChart): number => (chart.extent * 3) / 64;

/** The two axes of a chart: vertical, horizontal. */
export function axisBoxes(chart: SceneChart): readonly [Box, Box] {
  const start = inset(chart);
  const length = chart.extent - 2 * start;
  const width = axisWidth(chart);
  return [
    [chart.x + start, chart.y + start, width, length],
    [chart.x + start, chart.y + chart.extent - start - width, length, width],
  ];
}

/** Height of one unit of value, canvas units. */
function unitHeight(chart: SceneChart): number {
  return (chart.extent - 2 * inset(chart) - axisWidth(chart)) / chart.maximum;
}

/** The lines that mark each unit of value, bottom first. */
export function gridLineBoxes(chart: SceneChart): Box[] {
  const [, horizontal] = axisBoxes(chart);
  const thickness = chart.extent / 128;
  return Array.from({ length: chart.maximum }, (_, index) => [
    horizontal[0],
    horizontal[1] - (index + 1) * unitHeight(chart),
    horizontal[2],
    thickness,
  ]);
}

/** The bars of a chart, from left to right. */
export function barBoxes(chart: SceneChart): Box[] {
  const [, horizontal] = axisBoxes(chart);
  const start = horizontal[0] + axisWidth(chart);
  const pitch = (horizontal[2] - axisWidth(chart)) / chart.bars.length;
  return chart.bars.map((bar, index) => {
    const height = bar.value * unitHeight(chart);
    return [start + (index + 0.15) * pitch, horizontal[1] - height, 0.7 * pitch, height];
  });
}

/** Whether two boxes come closer to each other than a gap. */
export function boxesCollide(a: Box, b: Box, gap: number): boolean {
  return a[0] < b[0] + b[2] + gap && b[0] < a[0] + a[2] + gap && a[1] < b[1] + b[3] + gap && b[1] < a[1] + a[3] + gap;
}

/** Whether a box lies on the canvas. */
export function boxOnCanvas([x, y, width, height]: Box): boolean {
  return x >= 0 && y >= 0 && x + width <= CANVAS && y + height <= CANVAS;
}
