import { type GridSampleOptions, gridSample } from '../../ops/grid-sample.js';
import { type InterpolateOptions, interpolate } from '../../ops/interpolate.js';
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool2d,
  type PoolOptions,
  pixelShuffle,
  pixelUnshuffle,
  unfold,
} from '../../ops/pooling.js';
import { padReflect, roll } from '../../ops/rearrange.js';
import { FixtureError, type OperatorCase, type OperatorTable, renamed, required } from './operator-case.js';

type Pair = Parameters<typeof avgPool2d>[1];
type AveragePoolOptions = NonNullable<Parameters<typeof avgPool2d>[2]>;

/** `torch.nn.functional.interpolate`. */
export const interpolationOperators: OperatorTable = {
  interpolate: ({ arguments: given, inputs }) =>
    interpolate(
      required(inputs, 'x'),
      renamed<InterpolateOptions>(given, {
        size: 'size',
        scale_factor: 'scaleFactor',
        mode: 'mode',
        align_corners: 'alignCorners',
        antialias: 'antialias',
        recompute_scale_factor: 'recomputeScaleFactor',
      }),
    ),
};

/** `torch.nn.functional.grid_sample`. */
export const gridSampleOperators: OperatorTable = {
  grid_sample: ({ arguments: given, inputs }) =>
    gridSample(
      required(inputs, 'x'),
      required(inputs, 'grid'),
      renamed<GridSampleOptions>(given, { mode: 'mode', padding_mode: 'paddingMode', align_corners: 'alignCorners' }),
    ),
};

function poolOptions({ arguments: given }: OperatorCase): PoolOptions {
  return renamed<PoolOptions>(given, { stride: 'stride', padding: 'padding', ceil_mode: 'ceilMode' });
}

/** `torch.nn.functional` pooling, and what moves elements about in images. */
export const poolingOperators: OperatorTable = {
  adaptive_avg_pool1d: ({ arguments: given, inputs }) =>
    adaptiveAvgPool1d(required(inputs, 'x'), given.output_size as number),
  adaptive_avg_pool2d: ({ arguments: given, inputs }) =>
    adaptiveAvgPool2d(required(inputs, 'x'), given.output_size as Pair),
  avg_pool2d: (each) =>
    avgPool2d(required(each.inputs, 'x'), each.arguments.kernel_size as Pair, {
      ...poolOptions(each),
      ...renamed<AveragePoolOptions>(each.arguments, { count_include_pad: 'countIncludePad' }),
    }),
  max_pool2d: (each) => maxPool2d(required(each.inputs, 'x'), each.arguments.kernel_size as Pair, poolOptions(each)),
  pixel_shuffle: ({ arguments: given, inputs }) => pixelShuffle(required(inputs, 'x'), given.upscale_factor as number),
  pixel_unshuffle: ({ arguments: given, inputs }) =>
    pixelUnshuffle(required(inputs, 'x'), given.downscale_factor as number),
  unfold: (each) => unfold(required(each.inputs, 'x'), each.arguments.kernel_size as Pair, poolOptions(each)),
  roll: ({ arguments: given, inputs }) => {
    const shifts = [given.shifts].flat() as number[];
    const axes = [given.dims].flat() as number[];
    return shifts.reduce((x, shift, index) => roll(x, shift, axes[index]!), required(inputs, 'x'));
  },
  pad: ({ arguments: given, inputs }) => {
    if (given.mode !== 'reflect') {
      throw new FixtureError({
        operation: 'check pad',
        expected: 'mode reflect',
        received: JSON.stringify(given.mode),
      });
    }
    return padReflect(required(inputs, 'x'), given.pad as [number, number, number, number]);
  },
};
