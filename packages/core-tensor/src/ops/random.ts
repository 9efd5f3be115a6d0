import { ConfigError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import type { RandomKey } from '../random/key.js';
import { record, Tensor, tensor } from '../tensor.js';
import { cos, log, mul, sqrt, sub } from './arithmetic.js';
import { less, where } from './compare.js';

/**
 * A key of random numbers inside a graph: a root that is an argument of the program, and a stream chosen while
 * tracing. Two draws with one key give the same numbers; derive another for each use with {@link foldStream}.
 */
export interface StreamKey {
  /** int32 [2]. */
  readonly root: Tensor;
  readonly stream: number;
}

/** Makes a key from a {@link RandomKey}, or from an int32 tensor [2] that is an argument of a compiled function. */
export function streamKey(root: RandomKey | Tensor): StreamKey {
  const words = root instanceof Tensor ? root : tensor(keyWords(root));
  return { root: words, stream: 0 };
}

/** The two words of a key as they are passed to programs, int32 [2]. */
export function keyWords(key: RandomKey): Int32Array {
  return Int32Array.of(key.low | 0, key.high | 0);
}

/** A key for another use: equal numbers give equal keys, other numbers independent ones. */
export function foldStream(key: StreamKey, use: number): StreamKey {
  // A round of integer mixing (the finalizer of MurmurHash3), so that neighbouring uses land far apart.
  let mixed = (Math.imul(key.stream, 0x9e3779b1) + use + 1) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return { root: key.root, stream: (mixed ^ (mixed >>> 16)) >>> 0 };
}

/** Uniform numbers in [0, 1) of the given shape: the same for the same key on every engine. */
export function randomUniform(key: StreamKey, shape: Shape): Tensor {
  return record('randomUniform', [key.root], { shape, stream: key.stream });
}

/** Standard normal numbers of the given shape (Box & Muller 1958). */
export function randomNormal(key: StreamKey, shape: Shape): Tensor {
  const radius = sqrt(mul(-2, log(sub(1, randomUniform(foldStream(key, 0), shape)))));
  return mul(radius, cos(mul(2 * Math.PI, randomUniform(foldStream(key, 1), shape))));
}

/** Options of {@link dropout} and {@link dropPath}. */
export interface DropOptions {
  /** Share of elements set to zero, in [0, 1). */
  readonly rate: number;
  /** Without a key nothing is dropped, as in evaluation. */
  readonly key?: StreamKey | undefined;
}

function checkRate(operation: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new ConfigError({ operation, expected: 'a rate in [0, 1)', received: String(rate) });
  }
}

function drop(x: Tensor, shape: Shape, rate: number, key: StreamKey): Tensor {
  return mul(x, where(less(randomUniform(key, shape), rate), 0, 1 / (1 - rate)));
}

/** Sets elements to zero at random and scales the others by 1 / (1 − rate) (Srivastava et al. 2014). */
export function dropout(x: Tensor, { rate, key }: DropOptions): Tensor {
  checkRate('dropout', rate);
  return rate === 0 || !key ? x : drop(x, x.shape, rate, key);
}

/** {@link dropout} of whole samples: stochastic depth of a residual branch (Huang et al. 2016). x [batch, ...] → same. */
export function dropPath(x: Tensor, { rate, key }: DropOptions): Tensor {
  checkRate('dropPath', rate);
  return rate === 0 || !key ? x : drop(x, [x.shape[0]!, ...x.shape.slice(1).map(() => 1)], rate, key);
}
