import type { Colour, ObjectSize, Region, Shape } from './names.js';
import { REGIONS } from './names.js';

/** Side of the square canvas on which scenes are laid out; all coordinates of a scene are integers of this canvas. */
export const CANVAS = 1024;

/** A shape on the canvas. */
export interface SceneObject {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly size: ObjectSize;
  /** Centre, canvas units. */
  readonly x: number;
  readonly y: number;
  /** Side of the bounding square, canvas units; every shape touches all four sides. */
  readonly extent: number;
}

/** A word, drawn as glyphs of 5 × 7 square dots. */
export interface SceneText {
  readonly content: string;
  /** Upper left corner, canvas units. */
  readonly x: number;
  readonly y: number;
  /** Side of a dot, canvas units. */
  readonly dot: number;
}

/** A bar of a chart. */
export interface SceneBar {
  readonly colour: Colour;
  readonly value: number;
}

/** A bar chart. All values differ, so that there is one tallest and one shortest bar. */
export interface SceneChart {
  /** Upper left corner, canvas units. */
  readonly x: number;
  readonly y: number;
  /** Side of the square panel, canvas units. */
  readonly extent: number;
  /** Value at the top of the panel's axis. */
  readonly maximum: number;
  /** From left to right. */
  readonly bars: readonly SceneBar[];
}

/** A scene: plain data from which the picture, the truth and all questions follow. */
export interface Scene {
  /** Grey level of the background, 0 … 255. */
  readonly background: number;
  readonly objects: readonly SceneObject[];
  readonly text: SceneText | null;
  readonly chart: SceneChart | null;
}

/** An axis-aligned rectangle: left, top, width, height. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** The bounding box of an object, canvas units. */
export function objectBox(object: SceneObject): Box {
  return [object.x - object.extent / 2, object.y - object.extent / 2, object.extent, object.extent];
}

/** Name of the third of the canvas, along both axes, in which a point lies. */
export function regionOf(x: number, y: number): Region {
  const third = (value: number): number => Math.min(2, Math.max(0, Math.floor((value * 3) / CANVAS)));
  return REGIONS[third(y) * 3 + third(x)]!;
}
