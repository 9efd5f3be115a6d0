import { fragmentsFit } from './attention/fragments.js';
import { plainBackward } from './attention/plain-backward.js';
import { plainForward } from './attention/plain-forward.js';
import type { AttentionProblem } from './attention/problem.js';
import { joinParts, type Split, splitTemporaries, type VisibleKeys } from './attention/split.js';
import { tensorCoreBackward } from './attention/tensor-core-backward.js';
import { decodesOnTensorCores, tensorCoreDecode } from './attention/tensor-core-decode.js';
import { tensorCoreForward } from './attention/tensor-core-forward.js';
import type { Lowered } from './lowered.js';

export type { AttentionProblem, RowLayout, ScoreTerm } from './attention/problem.js';
export type { VisibleKeys } from './attention/split.js';

/** The widest head; rows of such a width still fit in shared memory. */
export const widestHead = 256;

/** Queries up to which keys are shared out among blocks. */
const fewQueries = 8;

/** Blocks that keep a card busy. */
const manyBlocks = 256;

/**
 * softmax(q·kᵀ·scale + bias + mask)·v, without scores in memory. Inputs: q, k, v, then mask and bias, those there are.
 * Results: `out` [batch, heads, queries, width]; `out1`, float32 [batch, heads, queries, 2], what the gradient needs: each row's
 * largest score and the logarithm of the sum of its weights, both to the base 2 (of scores · log₂ e).
 *
 * Hidden keys get −10⁹, as in ops/attention.ts, and a row that sees none weighs all alike. A row whose scores are all −∞ is NaN.
 * 16-bit storages run on tensor cores (sm_80 and later) if the width is a multiple of 8, everything else in float32.
 */
export function attentionForward(problem: AttentionProblem): Lowered {
  const { queries, keys } = problem;
  if (queries <= fewQueries && keys >= 256) return attentionDecode(problem);
  return { launches: [fragmentsFit(problem) ? tensorCoreForward(problem) : plainForward(problem)], temporaries: [] };
}

/**
 * Gradients of {@link attentionForward}. Inputs: q, k, v, its result, the cotangent, its statistics (`out1`), then mask and bias.
 * Results: `out` dq, `out1` dk, `out2` dv. Without atomics: the same bits at every run.
 */
export function attentionBackward(problem: AttentionProblem): Lowered {
  return fragmentsFit(problem) ? tensorCoreBackward(problem) : plainBackward(problem);
}

/**
 * {@link attentionForward} of few queries against many keys, which are shared out among blocks; a second launch puts the sums
 * together. With `visible`, a scalar input after mask and bias, the keys are the first visible + offset of the cache, and a
 * causal query sees those up to its place from their end.
 */
export function attentionDecode(problem: AttentionProblem, visible?: VisibleKeys): Lowered {
  const { batch, heads, keyHeads, queries, keys } = problem;
  const onTensorCores = decodesOnTensorCores(problem);
  const blocks = batch * (onTensorCores ? keyHeads : heads * Math.ceil(queries / 32));
  const parts = Math.max(1, Math.min(Math.ceil(manyBlocks / blocks), Math.ceil(keys / 64)));
  const split: Split = { parts, visible };
  return {
    launches: [
      onTensorCores ? tensorCoreDecode(problem, split) : plainForward(problem, split),
      joinParts(problem, split),
    ],
    temporaries: splitTemporaries(problem, split),
  };
}
