import { binaryCrossEntropyWithLogits, crossEntropy, mul, type Tensor, zeros } from '@ocelli/core-tensor';

/**
 * Loss of VQA: binary cross-entropy, mean over samples and classes, times the number of classes.
 * logits and soft targets [batch, classes] → scalar. Source: ManagerTower `src/modules/objectives.py`, `compute_vqa`.
 */
export function visualQuestionAnsweringLoss(logits: Tensor, targets: Tensor): Tensor {
  return mul(binaryCrossEntropyWithLogits(logits, targets), logits.shape[1]!);
}

/** Soft target of an answer that so many of the ten annotators gave: 0, 0.3, 0.6, 0.9, 1. */
export function annotatorScore(count: number): number {
  return [0, 0.3, 0.6, 0.9][Math.max(0, count)] ?? 1;
}

/**
 * Loss of ranking: cross-entropy of the matching text among its image's candidates.
 *
 * @param scores [batch, candidates], the matching one first
 */
export function rankingLoss(scores: Tensor): Tensor {
  return crossEntropy(scores, zeros([scores.shape[0]!], 'int32'));
}
