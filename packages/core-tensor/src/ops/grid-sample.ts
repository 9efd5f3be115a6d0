import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { abs, add, floor, mul, round, sub } from './arithmetic.js';
import { broadcastTo } from './broadcast.js';
import { cast } from './cast.js';
import { clamp, less, lessEqual, logicalAnd, where } from './compare.js';
import { takeAlongAxis } from './indexing.js';
import { reshape, select } from './rearrange.js';

/** Options of {@link gridSample}. */
export interface GridSampleOptions {
  /** Default: `bilinear`. */
  readonly mode?: 'bilinear' | 'nearest';
  /** What lies outside the image: zeros, the border pixel, or the mirrored image. Default: `zeros`. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether ±1 are the centres of the corner pixels, or the image's edges. Default: false. */
  readonly alignCorners?: boolean;
}

/**
 * Samples images at given places (PyTorch's `grid_sample`, deformable attention).
 * x [batch, channels, height, width], grid [batch, rows, columns, 2] → [batch, channels, rows, columns];
 * grid[..., 0] is the horizontal place in [−1, 1], grid[..., 1] the vertical one. Both get gradients.
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  if (x.shape.length !== 4 || grid.shape.length !== 4 || grid.shape[3] !== 2 || grid.shape[0] !== x.shape[0]) {
    throw new ShapeError({
      operation: 'gridSample',
      expected: 'x [batch, channels, height, width] and grid [batch, rows, columns, 2]',
      received: [x.shape, grid.shape],
    });
  }
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const [, rows, columns] = grid.shape as [number, number, number];
  const place = (axis: number, size: number) => {
    const unit = reshape(select(grid, -1, axis), [batch, 1, rows * columns]);
    return intoImage(unnormalize(unit, size, alignCorners), size, paddingMode, alignCorners);
  };
  const [across, down] = [place(0, width), place(1, height)]; // [batch, 1, places] in pixels
  const sampled =
    mode === 'nearest'
      ? pixels(x, round(across), round(down))
      : cornersOf(across)
          .flatMap((horizontal) => cornersOf(down).map((vertical) => ({ horizontal, vertical })))
          .map(({ horizontal, vertical }) =>
            mul(pixels(x, horizontal.pixel, vertical.pixel), mul(horizontal.weight, vertical.weight)),
          )
          .reduce((sum, part) => add(sum, part));
  return reshape(sampled, [batch, x.shape[1]!, rows, columns]);
}

/** [−1, 1] to pixels, pixel centres being whole numbers. */
function unnormalize(place: Tensor, size: number, alignCorners: boolean): Tensor {
  return alignCorners ? mul(add(place, 1), (size - 1) / 2) : sub(mul(add(place, 1), size / 2), 0.5);
}

function intoImage(place: Tensor, size: number, paddingMode: string, alignCorners: boolean): Tensor {
  if (paddingMode === 'zeros') return place;
  const inside =
    paddingMode === 'border' ? place : reflect(place, alignCorners ? 0 : -0.5, alignCorners ? size - 1 : size - 0.5);
  // At the border and beyond it the gradient is zero, as in PyTorch.
  return where(less(0, inside), where(less(inside, size - 1), inside, size - 1), 0);
}

/** Mirrors places about two bounds as often as needed. */
function reflect(place: Tensor, low: number, high: number): Tensor {
  const span = high - low;
  if (span <= 0) return mul(place, 0);
  const period = 2 * span;
  const offset = abs(sub(place, low));
  const within = sub(offset, mul(floor(mul(offset, 1 / period)), period)); // [0, period)
  return add(where(lessEqual(within, span), within, sub(period, within)), low);
}

/** The two whole pixels around each place, with their bilinear weights. */
function cornersOf(place: Tensor): { pixel: Tensor; weight: Tensor }[] {
  const before = floor(place);
  const fraction = sub(place, before);
  return [
    { pixel: before, weight: sub(1, fraction) },
    { pixel: add(before, 1), weight: fraction },
  ];
}

/** Pixels at whole places [batch, 1, places], zero outside: [batch, channels, places]. */
function pixels(x: Tensor, across: Tensor, down: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const within = (place: Tensor, size: number) => logicalAnd(lessEqual(0, place), lessEqual(place, size - 1));
  const isInside = logicalAnd(within(across, width), within(down, height));
  const column = clamp(across, { low: 0, high: width - 1 });
  const row = clamp(down, { low: 0, high: height - 1 });
  const index = cast(add(mul(row, width), column), 'int32');
  const flat = reshape(x, [batch, channels, height * width]);
  const taken = takeAlongAxis(flat, broadcastTo(index, [batch, channels, index.shape[2]!]), 2);
  return where(isInside, taken, 0);
}
