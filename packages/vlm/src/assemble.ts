import { concat, gather, reshape, type Tensor, zeros } from '@ocelli/core-tensor';

/**
 * Lays visual tokens and text embeddings out as sequences, by one differentiable gather from
 * concat(text, visual, one row of zeros). The zeros are for padding; no gradient reaches them.
 * text [batch, length, width], visual [images, tokens, width] or [rows, width], plan int32 [batch, length] →
 * [batch, length, width].
 */
export function assembleSequences(text: Tensor, visual: Tensor | undefined, plan: Tensor): Tensor {
  const width = text.shape.at(-1)!;
  const rows = [text, ...(visual && visual.size > 0 ? [visual] : [])].map((part) => reshape(part, [-1, width]));
  return gather(concat([...rows, zeros([1, width])], 0), plan);
}
