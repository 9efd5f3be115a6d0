import {
  concat,
  type InterpolateOptions,
  interpolate,
  reshape,
  ShapeError,
  sliceAxis,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import { mapToTokens } from './patches.js';

/** Where the new positions lie among the learned ones. */
export interface ResizePositionsOptions extends Pick<InterpolateOptions, 'size' | 'scaleFactor' | 'antialias'> {
  /** Rows in front that belong to no patch and stay as they are. Default: 0. */
  readonly prefix?: number;
}

/**
 * Learned positions of a square grid for another grid, by bicubic interpolation between them (a = −0.75; with
 * `antialias` a = −0.5, and a kernel that widens when shrinking).
 * positions [prefix + g², width] → [prefix + rows · columns, width].
 *
 * @throws ShapeError if the table is not that of a square grid
 * @throws ConfigError unless exactly one of `size` and `scaleFactor` is given
 */
export function resizePositions(positions: Tensor, options: ResizePositionsOptions): Tensor {
  const { prefix = 0, ...sampling } = options;
  const [count = 0, width = 0] = positions.shape;
  const grid = Math.round(Math.sqrt(count - prefix));
  if (positions.shape.length !== 2 || grid < 1 || grid ** 2 !== count - prefix) {
    throw new ShapeError({
      operation: 'resizePositions',
      expected: `positions [${prefix === 0 ? '' : `${prefix} + `}grid², width]`,
      received: [positions.shape],
    });
  }
  const map = reshape(transpose(sliceAxis(positions, 0, prefix)), [1, width, grid, grid]);
  const resized = interpolate(map, { ...sampling, mode: 'bicubic' }); // [1, width, rows, columns]
  const patches = reshape(mapToTokens(resized), [-1, width]); // [rows · columns, width]
  return prefix === 0 ? patches : concat([sliceAxis(positions, 0, 0, prefix), patches], 0);
}
