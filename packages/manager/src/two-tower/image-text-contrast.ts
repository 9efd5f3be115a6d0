import {
  add,
  argMax,
  cast,
  clamp,
  concat,
  div,
  equal,
  expandDims,
  greater,
  log,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  ones,
  randomUniform,
  type StreamKey,
  softmax,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
  zeros,
} from '@ocelli/core-tensor';

/** Features of a batch of pairs, and which images are the same. */
export interface ContrastInputs {
  /** Of length one, [batch, features]. */
  readonly image: Tensor;
  /** [batch, features] */
  readonly text: Tensor;
  /** Number of each pair's image, int32 or int64 [batch]: captions of one image all match it. Default: all differ. */
  readonly imageIndex?: Tensor | undefined;
  /** Scalar or [1]; limited to [0.001, 0.5] here. */
  readonly temperature: Tensor;
}

export interface Contrast {
  /** Mean cross-entropy of both directions against targets that are uniform over what matches. */
  readonly loss: Tensor;
  /** For each text, how likely each image is drawn as its negative: [texts, images]. Not normalised anew. */
  readonly negativeImageWeights: Tensor;
  /** For each image, the same of texts: [images, texts]. */
  readonly negativeTextWeights: Tensor;
}

/**
 * Contrastive loss of images and texts, and the weights that hard negatives are drawn with: a softmax of the
 * similarities in which what matches is zero. Source: ManagerTower `src/modules/objectives.py`, `compute_itm_itc`.
 *
 * The official code clamps the stored temperature; here the value is clamped, and the gradient passes at the bounds.
 */
export function imageTextContrast({ image, text, imageIndex, temperature }: ContrastInputs): Contrast {
  const batch = image.shape[0]!;
  const numbers = imageIndex ?? tensor(Int32Array.from({ length: batch }, (_, index) => index));
  const matches = equal(expandDims(numbers, 1), expandDims(numbers, 0)); // [batch, batch]
  const similarity = div(matmul(image, text, { transposeB: true }), clamp(temperature, { low: 0.001, high: 0.5 }));
  const matching = cast(matches, 'float32');
  const targets = div(matching, sum(matching, { axes: 1, keepDims: true }));
  const lossOf = (logits: Tensor) => neg(mean(sum(mul(targets, logSoftmax(logits)), { axes: 1 })));
  const negatives = (logits: Tensor) => stopGradient(where(matches, 0, softmax(logits)));
  const transposed = transpose(similarity, [1, 0]); // [texts, images]
  return {
    loss: mul(add(lossOf(similarity), lossOf(transposed)), 0.5),
    negativeImageWeights: negatives(transposed),
    negativeTextWeights: negatives(similarity),
  };
}

/**
 * Draws one column per row in proportion to the weights [rows, columns] → int64 [rows]. A row whose weights all vanish
 * draws evenly. Without a key the largest weight wins.
 */
export function drawNegatives(weights: Tensor, key?: StreamKey): Tensor {
  if (!key) return argMax(weights, 1);
  const total = sum(weights, { axes: 1, keepDims: true });
  const safe = where(greater(total, 0), weights, 1);
  // argmax of log w + Gumbel noise is a draw in proportion to w (Gumbel 1954); a weight of zero is never drawn.
  const uniform = clamp(randomUniform(key, weights.shape), { low: 1e-7 });
  const gumbel = neg(log(neg(log(uniform))));
  const scores = where(greater(safe, 0), add(log(where(greater(safe, 0), safe, 1)), gumbel), -1e9);
  return argMax(scores, 1);
}

/** Which image and which text make each of the 3 · batch pairs of image-text matching, and its class. */
export interface MatchingPairs {
  /** int64 [3 · batch] */
  readonly image: Tensor;
  /** int64 [3 · batch] */
  readonly text: Tensor;
  /** 1 for a match, int64 [3 · batch]. */
  readonly labels: Tensor;
}

/** The batch itself, then each text beside its negative image, then each image beside its negative text. */
export function matchingPairs(negativeImage: Tensor, negativeText: Tensor): MatchingPairs {
  const batch = negativeImage.shape[0]!;
  const own = tensor(BigInt64Array.from({ length: batch }, (_, index) => BigInt(index)));
  const ids = (x: Tensor) => cast(x, 'int64');
  return {
    image: concat([own, ids(negativeImage), own], 0),
    text: concat([own, own, ids(negativeText)], 0),
    labels: concat([ones([batch], 'int64'), zeros([2 * batch], 'int64')], 0),
  };
}
