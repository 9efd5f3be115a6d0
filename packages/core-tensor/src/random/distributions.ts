import { ConfigError } from '../errors.js';
import { erf, erfinv } from './erf.js';
import type { RandomKey } from './key.js';
import { philoxUniformInto } from './philox.js';
import { boundedInteger, checkLength, randomWords, wordSequence } from './words.js';

function checkInterval(operation: string, low: number, high: number): void {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    throw new ConfigError({ operation, expected: 'finite low ≤ high', received: `low ${low} and high ${high}` });
  }
}

function checkDeviation(operation: string, mean: number, std: number): void {
  if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
    throw new ConfigError({
      operation,
      expected: 'a finite mean and std ≥ 0',
      received: `mean ${mean} and std ${std}`,
    });
  }
}

/** Bounds of a uniform distribution. */
export interface UniformOptions {
  /** Default: 0. */
  readonly low?: number;
  /** Default: 1. Excluded, but rounding to float32 may reach it where the interval is narrow beside its bounds. */
  readonly high?: number;
}

/**
 * Uniform numbers in [low, high): low + (high − low)·u, u a multiple of 2⁻²⁴.
 *
 * @returns `length` numbers; the first n of a longer call are those of a call for n
 * @throws ConfigError where the bounds are not finite or not in order
 */
export function uniformFloats(
  key: RandomKey,
  length: number,
  { low = 0, high = 1 }: UniformOptions = {},
): Float32Array {
  checkLength('uniformFloats', length);
  checkInterval('uniformFloats', low, high);
  const values = new Float32Array(length);
  philoxUniformInto(key.low, key.high, 0, values);
  if (low !== 0 || high !== 1) {
    const width = high - low;
    for (let i = 0; i < length; i++) {
      values[i] = low + width * values[i]!;
    }
  }
  return values;
}

/** Parameters of a normal distribution. */
export interface NormalOptions {
  /** Default: 0. */
  readonly mean?: number;
  /** Standard deviation. Default: 1. */
  readonly std?: number;
}

/**
 * Normal numbers by the transform of Box and Muller (1958), computed in float64. The functions of `Math` come with
 * the JavaScript engine rather than with the operating system, so the numbers do not depend on the platform.
 *
 * @returns `length` numbers; the first n of a longer call are those of a call for n
 * @throws ConfigError where the mean is not finite or the deviation negative
 */
export function normalFloats(key: RandomKey, length: number, { mean = 0, std = 1 }: NormalOptions = {}): Float32Array {
  checkLength('normalFloats', length);
  checkDeviation('normalFloats', mean, std);
  const values = new Float32Array(length);
  const words = randomWords(key, length + (length & 1));
  for (let i = 0; i < length; i += 2) {
    // The half keeps the logarithm finite.
    const radius = std * Math.sqrt(-2 * Math.log((words[i]! + 0.5) * 2 ** -32));
    const angle = words[i + 1]! * (2 * Math.PI * 2 ** -32);
    values[i] = mean + radius * Math.cos(angle);
    values[i + 1] = mean + radius * Math.sin(angle); // no effect beyond the end
  }
  return values;
}

/** Parameters of a normal distribution cut off at two values. */
export interface TruncatedNormalOptions extends NormalOptions {
  /** Least value. Default: −2, a value and not a number of deviations. */
  readonly a?: number;
  /** Greatest value. Default: 2. */
  readonly b?: number;
}

/**
 * Normal numbers between `a` and `b`, by the inverse of the distribution function:
 * mean + std·√2·erfinv(u), u uniform between 2Φ((a − mean)/std) − 1 and 2Φ((b − mean)/std) − 1, clamped to [a, b].
 *
 * Source: `torch.nn.init.trunc_normal_`.
 *
 * @throws ConfigError where a parameter is not finite, std is negative, a > b, or no probability lies between them
 */
export function truncatedNormalFloats(
  key: RandomKey,
  length: number,
  { mean = 0, std = 1, a = -2, b = 2 }: TruncatedNormalOptions = {},
): Float32Array {
  const operation = 'truncatedNormalFloats';
  checkLength(operation, length);
  checkDeviation(operation, mean, std);
  checkInterval(operation, a, b);
  const low = erf((a - mean) / (std * Math.SQRT2));
  const width = erf((b - mean) / (std * Math.SQRT2)) - low;
  if (!(width > 0)) {
    throw new ConfigError({
      operation,
      expected: 'an interval that the distribution reaches',
      received: `[${a}, ${b}] under mean ${mean} and std ${std}`,
      remedy: 'Move the interval towards the mean, or raise std.',
    });
  }
  const values = new Float32Array(length);
  const words = randomWords(key, length);
  for (let i = 0; i < length; i++) {
    // The middle of each of 2³² equal parts: never the ends, where erfinv may be infinite.
    const u = low + width * ((words[i]! + 0.5) * 2 ** -32);
    values[i] = Math.min(Math.max(mean + std * Math.SQRT2 * erfinv(u), a), b);
  }
  return values;
}

/** Bounds of random integers. */
export interface IntegerOptions {
  /** Least integer. Default: 0. */
  readonly low?: number;
  /** The integer after the greatest. */
  readonly high: number;
}

/**
 * Integers in [low, high), every one equally likely.
 *
 * @throws ConfigError where the bounds are not int32 numbers with at least one between them
 */
export function randomIntegers(key: RandomKey, length: number, { low = 0, high }: IntegerOptions): Int32Array {
  checkLength('randomIntegers', length);
  const valid = Number.isInteger(low) && Number.isInteger(high) && low >= -(2 ** 31) && high <= 2 ** 31 && low < high;
  if (!valid) {
    throw new ConfigError({
      operation: 'randomIntegers',
      expected: 'integers low < high within int32',
      received: `low ${low} and high ${high}`,
    });
  }
  const next = wordSequence(key);
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    values[i] = low + boundedInteger(next, high - low);
  }
  return values;
}

/**
 * The integers 0 to n − 1 in random order (Fisher and Yates), every order equally likely.
 *
 * @throws ConfigError where `n` is not a count
 */
export function permutation(key: RandomKey, n: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 31) {
    throw new ConfigError({ operation: 'permutation', expected: 'a count of 0 to 2³¹', received: String(n) });
  }
  const next = wordSequence(key);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    order[i] = i;
  }
  for (let last = n - 1; last > 0; last--) {
    const chosen = boundedInteger(next, last + 1);
    const moved = order[last]!;
    order[last] = order[chosen]!;
    order[chosen] = moved;
  }
  return order;
}
