import { ConfigError, ShapeError } from '../errors.js';
import { normalFloats, type TruncatedNormalOptions, truncatedNormalFloats, uniformFloats } from './distributions.js';
import { fanOf } from './fan.js';
import type { RandomKey } from './key.js';
import { orthonormalize } from './orthogonal.js';

/** First values of a parameter of this shape, row-major; the same shape and key give the same values. */
export type Initializer = (shape: readonly number[], key: RandomKey) => Float32Array;

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Every value 0. */
export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));

/** Every value 1. */
export const ones: Initializer = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** Every value `value`. */
export function constant(value: number): Initializer {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** U(low, high). */
export function uniform(low = 0, high = 1): Initializer {
  return (shape, key) => uniformFloats(key, sizeOf(shape), { low, high });
}

/** N(mean, std²). */
export function normal(mean = 0, std = 1): Initializer {
  return (shape, key) => normalFloats(key, sizeOf(shape), { mean, std });
}

/**
 * N(mean, std²) restricted to [a, b]. The bounds are values, not numbers of deviations, as in
 * `torch.nn.init.trunc_normal_`.
 */
export function truncatedNormal(options: TruncatedNormalOptions = {}): Initializer {
  return (shape, key) => truncatedNormalFloats(key, sizeOf(shape), options);
}

/** A factor on the deviation that suits the activation which follows. */
export interface GainOptions {
  /** Default: 1. */
  readonly gain?: number;
}

function xavierDeviation(operation: string, shape: readonly number[], gain: number): number {
  const { fanIn, fanOut } = fanOf(operation, shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/**
 * U(−l, l), l = gain·√(6/(fanIn + fanOut)).
 *
 * Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
 * `torch.nn.init.xavier_uniform_`.
 */
export function xavierUniform({ gain = 1 }: GainOptions = {}): Initializer {
  return (shape, key) => {
    const limit = Math.sqrt(3) * xavierDeviation('xavierUniform', shape, gain);
    return uniformFloats(key, sizeOf(shape), { low: -limit, high: limit });
  };
}

/** N(0, σ²), σ = gain·√(2/(fanIn + fanOut)). Source: as {@link xavierUniform}; `torch.nn.init.xavier_normal_`. */
export function xavierNormal({ gain = 1 }: GainOptions = {}): Initializer {
  return (shape, key) => normalFloats(key, sizeOf(shape), { std: xavierDeviation('xavierNormal', shape, gain) });
}

/** Activations that a gain is known for. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leaky_relu' | 'selu';

const gains: { readonly [N in Nonlinearity]: (slope: number) => number } = {
  linear: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.SQRT2,
  leaky_relu: (slope) => Math.sqrt(2 / (1 + slope ** 2)),
  selu: () => 3 / 4,
};

/**
 * The gain that keeps the variance of activations. Source: `torch.nn.init.calculate_gain`.
 *
 * @param slope negative slope of `leaky_relu`
 * @throws ConfigError where the nonlinearity is unknown
 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  if (!Object.hasOwn(gains, nonlinearity)) {
    throw new ConfigError({
      operation: 'gainOf',
      expected: `one of ${Object.keys(gains).join(', ')}`,
      received: String(nonlinearity),
    });
  }
  return gains[nonlinearity](slope);
}

/** Which side of a weight keeps its variance, and what follows it. */
export interface KaimingOptions {
  /** Negative slope of `leaky_relu`. Default: 0. */
  readonly a?: number;
  /** `fan_in` keeps the variance of activations, `fan_out` that of gradients. Default: `fan_in`. */
  readonly mode?: 'fan_in' | 'fan_out';
  /** Default: `leaky_relu`. */
  readonly nonlinearity?: Nonlinearity;
}

function kaimingDeviation(operation: string, shape: readonly number[], options: KaimingOptions): number {
  const { a = 0, mode = 'fan_in', nonlinearity = 'leaky_relu' } = options;
  const { fanIn, fanOut } = fanOf(operation, shape);
  const fan = mode === 'fan_in' ? fanIn : fanOut;
  return fan === 0 ? 0 : gainOf(nonlinearity, a) / Math.sqrt(fan);
}

/**
 * U(−l, l), l = gain·√(3/fan). PyTorch's linear and convolution layers start with a = √5, which makes l = 1/√fanIn.
 *
 * Source: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015); `torch.nn.init.kaiming_uniform_`.
 */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return (shape, key) => {
    const limit = Math.sqrt(3) * kaimingDeviation('kaimingUniform', shape, options);
    return uniformFloats(key, sizeOf(shape), { low: -limit, high: limit });
  };
}

/** N(0, σ²), σ = gain/√fan. Source: as {@link kaimingUniform}; `torch.nn.init.kaiming_normal_`. */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return (shape, key) => normalFloats(key, sizeOf(shape), { std: kaimingDeviation('kaimingNormal', shape, options) });
}

/** Deviation of N(0, 1) restricted to [−2, 2]. */
const truncatedDeviation = 0.8796256610342398;

/**
 * N(0, σ²) restricted to two of its deviations, with σ chosen so that the result has the deviation 1/√fanIn.
 *
 * Source: `jax.nn.initializers.lecun_normal`, after LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998).
 */
export const lecunNormal: Initializer = (shape, key) => {
  const { fanIn } = fanOf('lecunNormal', shape);
  const std = 1 / Math.sqrt(Math.max(fanIn, 1)) / truncatedDeviation;
  return truncatedNormalFloats(key, sizeOf(shape), { std, a: -2 * std, b: 2 * std });
};

/**
 * gain·Q, where Q [shape[0], rest] has orthonormal rows, or orthonormal columns where it has more rows than columns,
 * and every such Q is equally likely.
 *
 * Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
 * networks" (2014); `torch.nn.init.orthogonal_`. Takes rows²·columns operations on one thread.
 *
 * @throws ShapeError when called for a shape of fewer than two axes
 */
export function orthogonal({ gain = 1 }: GainOptions = {}): Initializer {
  return (shape, key) => {
    fanOf('orthogonal', shape); // refuses vectors
    const rows = shape[0]!;
    const columns = sizeOf(shape.slice(1));
    const count = Math.min(rows, columns);
    const width = Math.max(rows, columns);
    const draws = normalFloats(key, count * width);
    const vectors = Array.from({ length: count }, (_, i) =>
      Float64Array.from(draws.subarray(i * width, (i + 1) * width)),
    );
    orthonormalize(vectors);
    const values = new Float32Array(rows * columns);
    vectors.forEach((vector, i) => {
      vector.forEach((value, j) => {
        values[rows <= columns ? i * columns + j : j * columns + i] = gain * value;
      });
    });
    return values;
  };
}

/**
 * The identity matrix; a rectangular one has ones on its main diagonal. Source: `torch.nn.init.eye_`.
 *
 * @throws ShapeError where the shape does not have two axes
 */
export const identity: Initializer = (shape) => {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) {
    throw new ShapeError({ operation: 'identity', expected: 'a matrix [rows, columns]', received: [shape] });
  }
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) {
    values[i * columns + i] = 1;
  }
  return values;
};
