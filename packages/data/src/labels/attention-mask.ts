/**
 * What the published training code takes for padding: every token whose id is the pad token's. Where unknown tokens serve
 * as padding (Vicuna's: `unk`, 0), those of the text vanish from the sequence too; with byte fallback there are hardly any.
 * `spliceImages` drops by this mask where a row has it; without one it keeps every token, as the loader does.
 *
 * Source: LLaVA `llava/train/train.py` (`DataCollatorForSupervisedDataset`); ConvLLaVA, Eagle and LLaVA-OV-Manager alike.
 *
 * @returns [length] 1 for tokens, 0 for what counts as padding
 */
export function publishedAttentionMask(inputIds: ArrayLike<number>, padTokenId: number): Int32Array {
  return Int32Array.from(inputIds, (id) => (id === padTokenId ? 0 : 1));
}
