import { concat, gather, reshape, type Tensor } from '@ocelli/core-tensor';

/**
 * Lays visual tokens and text embeddings out as sequences, by one differentiable gather.
 * text [batch, length, width], visual [images, tokens, width], plan int32 [batch, length] → [batch, length, width].
 */
export function assembleSequences(text: Tensor, visual: Tensor | undefined, plan: Tensor): Tensor {
  const width = text.shape.at(-1)!;
  const rows = reshape(text, [-1, width]); // [batch · length, width]
  if (!visual || visual.size === 0) return text;
  return gather(concat([rows, reshape(visual, [-1, width])], 0), plan);
}
