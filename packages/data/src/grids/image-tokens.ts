import type { TilePixels } from '../image/tiles.js';
import { type GridLayout, gridLayout } from './grid-layout.js';
import type { ImageGrid } from './image-grid.js';
import type { SingleTile } from './plan-grid-tokens.js';

/** The visual tokens of an image by what the vision tower is given of it: a grid's, or those of one tile. */
export function imageTokens(
  { tiles, imageSize }: Pick<TilePixels, 'tiles' | 'imageSize'>,
  grid: ImageGrid,
  tokensPerTile: number,
): GridLayout | SingleTile {
  return tiles === 1 ? { tokens: tokensPerTile } : gridLayout(imageSize, grid, Math.sqrt(tokensPerTile));
}
