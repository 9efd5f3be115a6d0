import { interpolate, reshape, ShapeError, type Tensor, transpose } from '@ocelli/core-tensor';
import { isSquare } from '../fields.js';
import type { Grid } from './fusion.js';

/**
 * Checks maps against the widths of a configuration, and makes maps of tokens.
 * [batch, width, rows, columns] or [batch, side², width] each → [batch, width, rows, columns] each
 *
 * @throws ShapeError if there are more or fewer maps than widths, or one is none, or of another width or batch
 */
export function requireMaps(operation: string, maps: readonly Tensor[], widths: readonly number[]): Tensor[] {
  const batch = maps[0]?.shape[0];
  const fits = (map: Tensor, width: number | undefined) => {
    const [images, ...rest] = map.shape;
    const isMap = rest.length === 3 && rest[0] === width;
    const areTokens = rest.length === 2 && rest[1] === width && isSquare(rest[0]!);
    return images === batch && (isMap || areTokens);
  };
  if (maps.length !== widths.length || !maps.every((map, index) => fits(map, widths[index]))) {
    throw new ShapeError({
      operation,
      expected: `${widths.length} maps [batch, width, rows, columns], or tokens [batch, side², width], of widths ${widths.join(', ')}`,
      received: maps.map(({ shape }) => shape),
    });
  }
  return maps.map((map) => {
    const side = Math.sqrt(map.shape[1]!);
    return map.shape.length === 4 ? map : tokensToMap(map, [side, side]);
  });
}

/** [batch, width, rows, columns] → [batch, rows · columns, width], row by row */
export function mapToTokens(map: Tensor): Tensor {
  const [batch, width, rows, columns] = map.shape as [number, number, number, number];
  return transpose(reshape(map, [batch, width, rows * columns]));
}

/** [batch, rows · columns, width] → [batch, width, rows, columns] */
export function tokensToMap(tokens: Tensor, [rows, columns]: Grid): Tensor {
  const [batch, , width] = tokens.shape as [number, number, number];
  return reshape(transpose(tokens), [batch, width, rows, columns]);
}

/** Rows and columns of a map. */
export function gridOf(map: Tensor): Grid {
  return map.shape.slice(2) as [number, number];
}

/**
 * A map on another grid: bilinear, corners keeping their places, as Eagle brings its experts to one grid
 * (`multi_backbone_channel_concatenation_encoder.py`). [batch, width, …] → [batch, width, rows, columns]
 */
export function resizeFeatureMap(map: Tensor, grid: Grid): Tensor {
  if (gridOf(map).join() === grid.join()) return map;
  return interpolate(map, { size: grid, mode: 'bilinear', alignCorners: true });
}
