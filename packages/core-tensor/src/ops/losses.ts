import { DTypeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { abs, add, div, exp, log, maximum, mul, neg, square, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { equal, logicalNot, where } from './compare.js';
import { takeAlongAxis } from './indexing.js';
import { expandDims, squeeze } from './rearrange.js';
import { mean, sum } from './reduce.js';
import { logSoftmax } from './softmax.js';

/** What becomes of the losses of single elements. */
export type Reduction = 'mean' | 'sum' | 'none';

function reduce(x: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return x;
  return reduction === 'sum' ? sum(x) : mean(x);
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** Targets of this value count for nothing. Default: −100. */
  readonly ignoreIndex?: number;
  /** Share ε of each target spread evenly over all classes. Default: 0. */
  readonly labelSmoothing?: number;
  /** `mean` divides by the number of targets that count; NaN if there is none, as in PyTorch. Default: `mean`. */
  readonly reduction?: Reduction;
}

/**
 * −ln softmax(logits)[target].
 * logits [..., classes], targets [...] (int32 or int64) → scalar, or [...] without reduction.
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' }: CrossEntropyOptions = {},
): Tensor {
  if (targets.dtype !== 'int32' && targets.dtype !== 'int64') {
    throw new DTypeError({ operation: 'crossEntropy', expected: 'int32 or int64 targets', received: targets.dtype });
  }
  const ignored = equal(targets, ignoreIndex);
  const logProbabilities = logSoftmax(logits);
  const picked = takeAlongAxis(logProbabilities, expandDims(where(ignored, 0, targets), -1), -1);
  let losses = neg(squeeze(picked, -1)); // [...]
  if (labelSmoothing > 0) {
    const uniform = neg(mean(logProbabilities, { axes: -1 }));
    losses = add(mul(losses, 1 - labelSmoothing), mul(uniform, labelSmoothing));
  }
  const counted = where(ignored, 0, losses);
  if (reduction !== 'mean') return reduce(counted, reduction);
  return div(sum(counted), sum(cast(logicalNot(ignored), logits.dtype)));
}

/** Cross-entropy of independent yes/no decisions, from logits, without overflow. */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  { reduction = 'mean' }: { reduction?: Reduction } = {},
): Tensor {
  const losses = add(sub(maximum(logits, 0), mul(logits, targets)), log(add(exp(neg(abs(logits))), 1)));
  return reduce(losses, reduction);
}

/** (x − target)². */
export function meanSquaredError(
  x: Tensor,
  target: Tensor,
  { reduction = 'mean' }: { reduction?: Reduction } = {},
): Tensor {
  return reduce(square(sub(x, target)), reduction);
}
