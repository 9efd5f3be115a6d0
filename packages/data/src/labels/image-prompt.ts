import { IMAGE_MARKER } from '../conversation/conversation.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** Token id that stands for an image until its features take the place (LLaVA's `IMAGE_TOKEN_INDEX`). */
export const IMAGE_TOKEN = -200;

/**
 * The ids of a prompt in which each `<image>` is {@link IMAGE_TOKEN}: texts between images are tokenized on their own,
 * and keep one bos between them.
 *
 * Source: haotian-liu/LLaVA `llava/mm_utils.py`, `tokenizer_image_token`.
 */
export function encodeImagePrompt(prompt: string, tokenizer: Pick<Tokenizer, 'encode' | 'bosTokenId'>): number[] {
  const pieces = prompt.split(IMAGE_MARKER).map((piece) => tokenizer.encode(piece));
  const hasBos = tokenizer.bosTokenId !== undefined && pieces[0]![0] === tokenizer.bosTokenId;
  const ids = pieces.flatMap((piece, index) => [...(index > 0 ? [IMAGE_TOKEN] : []), ...piece.slice(hasBos ? 1 : 0)]);
  return hasBos ? [tokenizer.bosTokenId!, ...ids] : ids;
}
