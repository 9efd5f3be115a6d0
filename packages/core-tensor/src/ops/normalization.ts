import { ShapeError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import { ones, record, type Tensor, zeros } from '../tensor.js';
import { add, div, maximum, mul, rsqrt, sqrt, square, sub } from './arithmetic.js';
import { moveAxis, reshape } from './rearrange.js';
import { mean, sum, variance } from './reduce.js';

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Gain, of the normalized axes' shape. Default: 1. */
  readonly weight?: Tensor | undefined;
  /** Shift, of the normalized axes' shape. Default: 0. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default: 1e-5. */
  readonly epsilon?: number;
  /** How many of the last axes are normalized together. Default: those of the weight, or 1. */
  readonly axes?: number;
}

/** (x − μ) / √(σ² + ε) · weight + bias over the last axes, σ² being the biased variance (Ba et al. 2016). */
export function layerNorm(x: Tensor, { weight, bias, epsilon = 1e-5, axes }: LayerNormOptions = {}): Tensor {
  const count = axes ?? weight?.shape.length ?? 1;
  const width = sizeOf(x.shape.slice(x.shape.length - count));
  const flat = reshape(x, [...x.shape.slice(0, x.shape.length - count), width]);
  const gain = weight ? reshape(weight, [weight.size]) : ones([width], x.dtype);
  const shift = bias ? reshape(bias, [bias.size]) : zeros([width], x.dtype);
  return reshape(record('layerNorm', [flat, gain, shift], { epsilon }), x.shape);
}

/** {@link layerNorm} over the channels at each position of an image. x [batch, channels, height, width] → same. */
export function layerNorm2d(x: Tensor, options: Omit<LayerNormOptions, 'axes'> = {}): Tensor {
  return moveAxis(layerNorm(moveAxis(x, 1, -1), options), -1, 1);
}

/** x / √(mean(x²) + ε) · weight over the last axis (Zhang & Sennrich 2019). */
export function rmsNorm(x: Tensor, weight: Tensor, { epsilon = 1e-6 }: { epsilon?: number } = {}): Tensor {
  return record('rmsNorm', [x, weight], { epsilon });
}

/** Options of normalizations with a gain and a shift per channel. */
export interface ChannelNormOptions {
  /** Gain per channel. Default: 1. */
  readonly weight?: Tensor | undefined;
  /** Shift per channel. Default: 0. */
  readonly bias?: Tensor | undefined;
  readonly epsilon?: number;
}

function perChannel(x: Tensor, { weight, bias }: ChannelNormOptions): Tensor {
  const shape = [x.shape[1]!, ...x.shape.slice(2).map(() => 1)];
  const scaled = weight ? mul(x, reshape(weight, shape)) : x;
  return bias ? add(scaled, reshape(bias, shape)) : scaled;
}

/**
 * Normalizes each of `groups` groups of channels over its channels and all positions (Wu & He 2018).
 * x [batch, channels, ...] → same.
 *
 * @throws ShapeError if the groups do not divide the channels.
 */
export function groupNorm(x: Tensor, groups: number, options: ChannelNormOptions = {}): Tensor {
  const [batch, channels] = x.shape as [number, number];
  if (x.shape.length < 2 || channels % groups !== 0) {
    throw new ShapeError({
      operation: 'groupNorm',
      expected: `x [batch, channels, ...] with channels a multiple of ${groups}`,
      received: [x.shape],
    });
  }
  const grouped = reshape(x, [batch, groups, -1]);
  const centred = sub(grouped, mean(grouped, { axes: -1, keepDims: true }));
  const spread = mean(square(centred), { axes: -1, keepDims: true });
  const normalized = mul(centred, rsqrt(add(spread, options.epsilon ?? 1e-5)));
  return perChannel(reshape(normalized, x.shape), options);
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends ChannelNormOptions {
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  /** Use the batch's statistics, and update the running ones. Default: false. */
  readonly training?: boolean;
  /** Share of the new statistics in the running ones. Default: 0.1. */
  readonly momentum?: number;
}

/**
 * Batch normalization per channel (Ioffe & Szegedy 2015). x [batch, channels, ...] → y of the same shape, and the
 * running statistics: updated ones when training (the running variance with the unbiased estimate), else the given ones.
 */
export function batchNorm(
  x: Tensor,
  options: BatchNormOptions,
): { y: Tensor; runningMean: Tensor; runningVariance: Tensor } {
  const { runningMean, runningVariance, training = false, momentum = 0.1, epsilon = 1e-5 } = options;
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const shape = [x.shape[1]!, ...x.shape.slice(2).map(() => 1)];
  const centre = training ? mean(x, { axes }) : runningMean;
  const spread = training ? variance(x, { axes, correction: 0 }) : runningVariance;
  const normalized = mul(sub(x, reshape(centre, shape)), rsqrt(add(reshape(spread, shape), epsilon)));
  const y = perChannel(normalized, options);
  if (!training) return { y, runningMean, runningVariance };
  const blend = (old: Tensor, fresh: Tensor) => add(mul(old, 1 - momentum), mul(fresh, momentum));
  return {
    y,
    runningMean: blend(runningMean, centre),
    runningVariance: blend(runningVariance, variance(x, { axes, correction: 1 })),
  };
}

/** x divided by its Euclidean length along an axis, which counts as at least ε. */
export function l2Normalize(x: Tensor, axis = -1, { epsilon = 1e-12 }: { epsilon?: number } = {}): Tensor {
  return div(x, maximum(sqrt(sum(square(x), { axes: axis, keepDims: true })), epsilon));
}
