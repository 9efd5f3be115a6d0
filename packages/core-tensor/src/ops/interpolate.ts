import { ConfigError, ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { adaptiveMap } from './pooling.js';
import { reshape } from './rearrange.js';
import { type AxisMap, applySeparable, axisMap } from './separable.js';

/** How values between pixels are found. */
export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'area';

/** Options of {@link interpolate}. */
export interface InterpolateOptions {
  /** Output size, [rows, columns] (or one number for both). Either this or `scaleFactor`. */
  readonly size?: number | readonly number[];
  /** Output size over input size, rows and columns; the product is rounded down. */
  readonly scaleFactor?: number | readonly number[];
  /** Default: `nearest`. */
  readonly mode?: InterpolationMode;
  /** Corner pixels keep their places (true), or the image's edges do (false). Default: false. */
  readonly alignCorners?: boolean;
  /** Widen the kernel when shrinking, as Pillow does; bilinear and bicubic. Default: false. */
  readonly antialias?: boolean;
  /** Sample by the ratio of the sizes although a scale factor is given. Default: false. */
  readonly recomputeScaleFactor?: boolean;
}

/**
 * Resizes images (PyTorch's `interpolate`, with its coordinate rules; bicubic has a = −0.75, with antialias −0.5).
 * Every mode is a linear map of each axis, so the gradient is exact.
 * x [batch, channels, height, width] → [batch, channels, rows, columns], or [batch, channels, length] for `linear`.
 *
 * @throws ConfigError unless exactly one of `size` and `scaleFactor` is given.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  if (x.shape.length === 3) {
    const image = reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]);
    const wide = (value: number | readonly number[] | undefined) =>
      value === undefined ? undefined : [1, typeof value === 'number' ? value : value[0]!];
    const resized = interpolateImage(image, {
      ...options,
      size: wide(options.size),
      scaleFactor: wide(options.scaleFactor),
    } as InterpolateOptions);
    return reshape(resized, [...x.shape.slice(0, 2), resized.shape[3]!]);
  }
  if (x.shape.length !== 4) {
    throw new ShapeError({
      operation: 'interpolate',
      expected: 'x [batch, channels, height, width] or [batch, channels, length]',
      received: [x.shape],
    });
  }
  return interpolateImage(x, options);
}

function interpolateImage(x: Tensor, options: InterpolateOptions): Tensor {
  const { size, scaleFactor, recomputeScaleFactor = false } = options;
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ConfigError({
      operation: 'interpolate',
      expected: 'either size or scaleFactor',
      received: size === undefined ? 'neither' : 'both',
    });
  }
  const perAxis = (value: number | readonly number[]) => (typeof value === 'number' ? [value, value] : value);
  const maps = [0, 1].map((axis) => {
    const inputs = x.shape[2 + axis]!;
    const scale = scaleFactor === undefined ? undefined : perAxis(scaleFactor)[axis]!;
    const outputs = scale === undefined ? perAxis(size!)[axis]! : Math.floor(inputs * scale);
    if (!Number.isInteger(outputs) || outputs < 1) {
      throw new ShapeError({
        operation: 'interpolate',
        expected: `whole, positive output sizes, received ${outputs}`,
        received: [x.shape],
      });
    }
    const step = scale === undefined || recomputeScaleFactor ? inputs / outputs : 1 / scale;
    return resizeMap(inputs, outputs, step, options);
  });
  return applySeparable(x, maps[0]!, maps[1]!);
}

function resizeMap(
  inputs: number,
  outputs: number,
  step: number,
  { mode = 'nearest', alignCorners = false, antialias = false }: InterpolateOptions,
): AxisMap {
  if (mode === 'area') return adaptiveMap(inputs, outputs);
  if (mode === 'nearest' || mode === 'nearest-exact') {
    const shift = mode === 'nearest' ? 0 : 0.5;
    return axisMap(outputs, inputs, (add) => {
      for (let i = 0; i < outputs; i++) add(i, Math.min(inputs - 1, Math.floor((i + shift) * step)), 1);
    });
  }
  if (antialias) return antialiasMap(inputs, outputs, step, mode === 'bicubic' ? 2 : 1);
  const position = (i: number) => {
    if (alignCorners) return outputs === 1 ? 0 : (i * (inputs - 1)) / (outputs - 1);
    return (i + 0.5) * step - 0.5;
  };
  return mode === 'bicubic' ? cubicMap(inputs, outputs, position) : linearMap(inputs, outputs, position);
}

function linearMap(inputs: number, outputs: number, position: (output: number) => number): AxisMap {
  return axisMap(outputs, inputs, (add) => {
    for (let i = 0; i < outputs; i++) {
      const place = Math.max(0, position(i));
      const left = Math.min(inputs - 1, Math.floor(place));
      const fraction = place - left;
      add(i, left, 1 - fraction);
      add(i, Math.min(inputs - 1, left + 1), fraction);
    }
  });
}

/** Keys' cubic convolution kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0;
}

/** Taps beyond the border count for the border pixel; the position itself is not clamped. */
function cubicMap(inputs: number, outputs: number, position: (output: number) => number): AxisMap {
  return axisMap(outputs, inputs, (add) => {
    for (let i = 0; i < outputs; i++) {
      const place = position(i);
      const left = Math.floor(place);
      for (let tap = left - 1; tap <= left + 2; tap++) {
        add(i, Math.min(inputs - 1, Math.max(0, tap)), cubic(place - tap, -0.75));
      }
    }
  });
}

/** Pillow's resampling without its rounding to bytes; `radius` 1 is the triangle, 2 the cubic with a = −0.5. */
function antialiasMap(inputs: number, outputs: number, step: number, radius: 1 | 2): AxisMap {
  const widening = Math.max(1, step);
  const kernel = radius === 1 ? (d: number) => Math.max(0, 1 - Math.abs(d)) : (d: number) => cubic(d, -0.5);
  return axisMap(outputs, inputs, (add) => {
    for (let i = 0; i < outputs; i++) {
      const centre = (i + 0.5) * step;
      const first = Math.max(0, Math.trunc(centre - radius * widening + 0.5));
      const last = Math.min(inputs, Math.trunc(centre + radius * widening + 0.5));
      const weights = Array.from({ length: last - first }, (_, tap) => kernel((first + tap - centre + 0.5) / widening));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weights.forEach((weight, tap) => {
        add(i, first + tap, weight / total);
      });
    }
  });
}
