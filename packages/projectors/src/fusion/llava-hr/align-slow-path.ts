import { avgPool2d, interpolate, ShapeError, type Tensor } from '@ocelli/core-tensor';
import { gridOf } from '../feature-maps.js';
import type { Grid } from '../fusion.js';

/**
 * The map of the slow path on the grid of the fast one: enlarged bilinearly, corners keeping their places, or averaged
 * over windows (Luo et al. 2024, "Feast Your Eyes", `multipath_encoder_wapper.py`).
 * [batch, width, …] → [batch, width, rows, columns]
 *
 * @throws ShapeError unless rows and columns of one grid divide those of the other
 */
export function alignSlowPath(slow: Tensor, grid: Grid): Tensor {
  const own = gridOf(slow);
  const [down, across] = own.map((length, axis) => length / grid[axis]!) as [number, number];
  if (down === 1 && across === 1) return slow;
  if (Number.isInteger(down) && Number.isInteger(across)) return avgPool2d(slow, [down, across]);
  if (Number.isInteger(1 / down) && Number.isInteger(1 / across)) {
    return interpolate(slow, { size: grid, mode: 'bilinear', alignCorners: true });
  }
  throw new ShapeError({
    operation: 'alignSlowPath',
    expected: `a map whose rows and columns divide, or are divided by, ${grid.join(' × ')}`,
    received: own.join(' × '),
    remedy: 'Choose image sizes whose grids go together, or resize the map with resizeFeatureMap.',
  });
}
