import { GridError } from './grid-error.js';
import type { FeatureGrid, GridLayout } from './grid-layout.js';

/** An image that is one tile: its features are its visual tokens, without newlines. */
export interface SingleTile {
  readonly tokens: number;
}

/**
 * How the features of tiles become the visual tokens of images. Token t is Σ over its `taps` of weight · row, with rows
 * of `concat(features of all tower inputs [inputs · featuresPerTile, width], newline [1, width])`: with `taps` 1 all weights
 * are 1, and the tokens are one gather. The features of several layers take the same road.
 */
export interface GridTokenPlan {
  /** [images] tower inputs of each image: the whole image, then its tiles row by row. */
  readonly tiles: readonly number[];
  /** [images] visual tokens of each image: the `featureLengths` of `spliceImages`. */
  readonly lengths: readonly number[];
  /** Visual tokens of all images, which follow one another, and of the padding behind them. */
  readonly tokens: number;
  /** 4 where the grid of some image is resized, else 1. */
  readonly taps: 1 | 4;
  /** [tokens · taps] */
  readonly rows: Int32Array;
  /** [tokens · taps] The weights of a token sum to 1. */
  readonly weights: Float32Array;
}

export interface GridTokenOptions {
  /** Side of the square of features that every tile has. */
  readonly featuresPerSide: number;
  /** Inputs of the tower, blank ones behind those of the images included. Default: those of the images. */
  readonly towerInputs?: number;
  /** Fill the plan up to this many tokens with the first row, which no sequence refers to. Default: none. */
  readonly paddedTokens?: (tokens: number) => number;
}

/**
 * Plans the visual tokens of images: those of the whole image, then the grid without the features of the black around
 * it, resized where there are too many (bilinear), row by row over the whole canvas with a newline behind each row.
 *
 * The plan addresses the features of the tiles of all images in a row. A sample without images that brings a blank image
 * all the same is a {@link SingleTile}.
 *
 * Source: LLaVA-VL/LLaVA-NeXT `llava/model/llava_arch.py`, `prepare_inputs_labels_for_multimodal` with
 * `spatial_unpad`; the resizing is `torch.nn.functional.interpolate(mode="bilinear")`, which does not antialias.
 *
 * @throws GridError if a layout was made for another number of features per side
 */
export function planGridTokens(
  images: readonly (GridLayout | SingleTile)[],
  { featuresPerSide, towerInputs, paddedTokens = (tokens) => tokens }: GridTokenOptions,
): GridTokenPlan {
  const featuresPerTile = featuresPerSide ** 2;
  for (const image of images) checkFeatures(image, featuresPerSide);
  const tiles = images.map((image) => (isGrid(image) ? 1 + image.tiles.rows * image.tiles.columns : 1));
  const lengths = images.map(({ tokens }) => tokens);
  const used = sum(lengths);
  const tokens = Math.max(used, paddedTokens(used));
  const newline = Math.max(sum(tiles), towerInputs ?? 0) * featuresPerTile;
  const taps = images.some((image) => isGrid(image) && isResized(image)) ? 4 : 1;
  const rows = new Int32Array(tokens * taps);
  const weights = new Float32Array(tokens * taps);
  for (let token = 0; token < tokens; token++) weights[token * taps] = 1;

  let token = 0;
  let firstTile = 0;
  for (const [index, image] of images.entries()) {
    const base = firstTile * featuresPerTile;
    for (let feature = 0; feature < featuresPerTile; feature++) rows.fill(base + feature, token * taps, ++token * taps);
    if (isGrid(image)) {
      const vertical = sampleAxis(image.unpadded.rows, image.kept.rows);
      const horizontal = sampleAxis(image.unpadded.columns, image.kept.columns);
      for (const y of vertical) {
        for (const x of horizontal) {
          writeTaps(image, base + featuresPerTile, [y, x], { rows, weights, taps }, token++);
        }
        rows.fill(newline, token * taps, ++token * taps);
      }
    }
    firstTile += tiles[index]!;
  }
  return { tiles, lengths, tokens, taps, rows, weights };
}

/** Two neighbours along an axis, and how much the second one counts. */
interface AxisSample {
  readonly first: number;
  readonly second: number;
  readonly fraction: number;
}

/** Where the places of a resized axis lie on the original one, centres aligned, in single precision. */
function sampleAxis(length: number, resized: number): AxisSample[] {
  const scale = Math.fround(length / resized);
  return Array.from({ length: resized }, (_, place) => {
    const position = Math.max(0, Math.fround(Math.fround(scale * (place + 0.5)) - 0.5));
    const first = Math.trunc(position);
    return { first, second: Math.min(first + 1, length - 1), fraction: Math.fround(position - first) };
  });
}

function writeTaps(
  { unpadded, tiles, featuresPerSide }: GridLayout,
  gridStart: number,
  [y, x]: readonly [AxisSample, AxisSample],
  plan: Pick<GridTokenPlan, 'rows' | 'weights' | 'taps'>,
  token: number,
): void {
  const rowOf = (row: number, column: number): number =>
    gridStart + featureRow(unpadded.top + row, unpadded.left + column, tiles, featuresPerSide);
  const start = token * plan.taps;
  plan.rows[start] = rowOf(y.first, x.first);
  if (plan.taps === 1) return;
  plan.rows[start + 1] = rowOf(y.first, x.second);
  plan.rows[start + 2] = rowOf(y.second, x.first);
  plan.rows[start + 3] = rowOf(y.second, x.second);
  const [above, below] = [1 - y.fraction, y.fraction];
  const [left, right] = [1 - x.fraction, x.fraction];
  plan.weights.set([above * left, above * right, below * left, below * right], start);
}

/** Which row of the features, tile after tile, is at a place of the grid that the tiles form. */
function featureRow(row: number, column: number, tiles: FeatureGrid, side: number): number {
  const tile = Math.floor(row / side) * tiles.columns + Math.floor(column / side);
  return tile * side * side + (row % side) * side + (column % side);
}

function isGrid(image: GridLayout | SingleTile): image is GridLayout {
  return 'unpadded' in image;
}

function isResized({ unpadded, kept }: GridLayout): boolean {
  return unpadded.rows !== kept.rows || unpadded.columns !== kept.columns;
}

function checkFeatures(image: GridLayout | SingleTile, featuresPerSide: number): void {
  const received = isGrid(image) ? image.featuresPerSide ** 2 : image.tokens;
  if (received === featuresPerSide ** 2) return;
  throw new GridError({
    operation: 'planGridTokens',
    expected: `images of ${featuresPerSide ** 2} visual tokens a tile`,
    received: String(received),
    remedy: 'lay all images out with the same featuresPerSide',
    value: image,
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
