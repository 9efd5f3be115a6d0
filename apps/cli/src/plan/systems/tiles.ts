import { type GridLayout, gridLayout, planGridTokens, type SingleTile } from '@ocelli/data';
import { type GridTokens, gridTensors } from '@ocelli/vlm';
import type { ImageInput } from './system-programs.js';

/** Tiles of one image, and the visual tokens that they become. */
export interface Tiles {
  readonly image: { readonly height: number; readonly width: number };
  /** Images that the tower sees. */
  readonly inputs: number;
  readonly visualTokens: number;
  /** Whether there are newlines and so on among the tokens. */
  readonly isGrid: boolean;
  /** How the features of a batch become tokens. */
  readonly tokens: (batch: number) => GridTokens;
}

/** Image with the most visual tokens in a grid of squares: the largest square canvas. */
function largestImage(candidates: readonly { readonly width: number; readonly height: number }[]) {
  const squares = candidates.filter(({ width, height }) => width === height);
  const from = squares.length > 0 ? squares : candidates;
  return from.reduce((largest, each) => (each.width * each.height > largest.width * largest.height ? each : largest));
}

/**
 * How an image is cut; without a grid it is one tile.
 *
 * @param side of a tile in pixels
 * @param featuresPerSide of a tile's square of features
 */
export function tilesOf({ image, grid }: ImageInput, side: number, featuresPerSide: number): Tiles {
  if (grid === undefined) {
    const single: SingleTile = { tokens: featuresPerSide ** 2 };
    return { image: { height: side, width: side }, ...tiles([single], featuresPerSide), isGrid: false };
  }
  const size = image ? { height: image[0], width: image[1] } : largestImage(grid.candidates);
  const layout = gridLayout(size, grid, featuresPerSide);
  return {
    image: { height: size.height, width: size.width },
    ...tiles([layout], featuresPerSide),
    isGrid: true,
  };
}

function tiles(images: readonly [GridLayout | SingleTile], featuresPerSide: number) {
  const [first] = images;
  return {
    inputs: 'tiles' in first ? 1 + first.tiles.rows * first.tiles.columns : 1,
    visualTokens: first.tokens,
    tokens: (batch: number) =>
      gridTensors(
        planGridTokens(
          Array.from({ length: batch }, () => first),
          { featuresPerSide },
        ),
      ),
  };
}
