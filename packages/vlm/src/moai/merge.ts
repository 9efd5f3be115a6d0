import { ConfigError } from '@ocelli/core-tensor';

/** Prompts of one batch, of one length: padded on the left. */
export interface MergeInput {
  /** Rows with one token that stands for the image. */
  readonly inputIds: readonly ArrayLike<number>[];
  /** 0 where padded. Default: nothing is. */
  readonly attentionMask?: readonly ArrayLike<number>[];
}

/** Options of {@link mergeImageTokens}. */
export interface MergeOptions {
  /** Id that stands for the image. */
  readonly imageToken: number;
  /** Places that an image takes. */
  readonly imageTokens: number;
}

/** What lays a batch out in which images have taken their places; arrays are row-major. */
export interface MergedPrompts {
  readonly batch: number;
  /** Of the sequences with their images. */
  readonly length: number;
  /** [batch · length] rows of concat(text embeddings [batch · ids], visual tokens [batch · imageTokens]). */
  readonly plan: Int32Array;
  /** [batch · length] */
  readonly attentionMask: Int32Array;
  /** [batch · length] positions that do not count padding, where they are 1. MoAI's decoder does not look at them. */
  readonly positions: Int32Array;
  /** [batch · length] 1 at the image's places. */
  readonly imageMask: Uint8Array;
}

/**
 * Puts images into prompts as MoAI does (`moai/arch_moai.py`, `_merge_input_ids_with_image_features`): one image per row,
 * whose token becomes as many places as the image has tokens; embeddings of padding stay where they are.
 *
 * @throws ConfigError if rows are of unequal length, or a row does not have exactly one image outside of its padding
 */
export function mergeImageTokens({ inputIds, attentionMask }: MergeInput, options: MergeOptions): MergedPrompts {
  const { imageToken, imageTokens } = options;
  const batch = inputIds.length;
  const tokens = inputIds[0]?.length ?? 0;
  const length = Math.max(0, tokens - 1 + imageTokens);
  const cells = batch * length;
  const merged = {
    plan: new Int32Array(cells),
    attentionMask: new Int32Array(cells),
    positions: new Int32Array(cells),
    imageMask: new Uint8Array(cells),
  };
  inputIds.forEach((given, row) => {
    const ids = Array.from(given);
    const mask = attentionMask ? Array.from(attentionMask[row] ?? []) : ids.map(() => 1);
    const image = checkedImagePlace(row, { ids, mask, tokens }, imageToken);
    let position = 0;
    for (let place = 0; place < length; place++) {
      const isImage = place >= image && place < image + imageTokens;
      const token = place < image ? place : place - imageTokens + 1;
      const isThere = isImage || mask[token] !== 0;
      const cell = row * length + place;
      merged.plan[cell] = isImage ? batch * tokens + row * imageTokens + place - image : row * tokens + token;
      merged.attentionMask[cell] = isThere ? 1 : 0;
      merged.positions[cell] = isThere ? position++ : 1;
      merged.imageMask[cell] = isImage ? 1 : 0;
    }
  });
  return { batch, length, ...merged };
}

function checkedImagePlace(
  row: number,
  { ids, mask, tokens }: { ids: readonly number[]; mask: readonly number[]; tokens: number },
  imageToken: number,
): number {
  const images = ids.flatMap((id, place) => (id === imageToken && mask[place] !== 0 ? [place] : []));
  const [image] = images;
  if (image !== undefined && images.length === 1 && ids.length === tokens && mask.length === tokens) return image;
  throw new ConfigError({
    operation: `mergeImageTokens row ${row}`,
    expected: `${tokens} ids with the image's, ${imageToken}, once among them, and a mask as long`,
    received: `${ids.length} ids with ${images.length} images, a mask of ${mask.length}`,
    remedy: 'Pad prompts on the left to one length, and give each its image.',
  });
}
