import type { GridTokenPlan } from '../grids/plan-grid-tokens.js';

/**
 * A batch as plain typed arrays, row-major. `batch`, `length`, `images`, `height` and `width` below are those of
 * {@link Batch.shape}.
 */
export interface Batch {
  readonly shape: BatchShape;
  /** Which samples these are, row by row. */
  readonly sampleIds: readonly string[];
  /** [batch] tokens of each row without padding. */
  readonly lengths: Int32Array;
  /** [batch, length] token ids; the pad id at padding and where an image is. */
  readonly inputIds: Int32Array;
  /** [batch, length] targets, not shifted (the model compares position t with label t + 1); −100 where not trained. */
  readonly labels: Int32Array;
  /** [batch, length] 1 at tokens and images, 0 at padding. */
  readonly attentionMask: Int32Array;
  /** [batch, length] position of each token within its row; 0 at padding. */
  readonly positions: Int32Array;
  /**
   * [batch · length] For every position the row of `concat(text embeddings, visual tokens)` that belongs there. Text
   * embeddings are the batch · length embedded `inputIds`, so a text or padding position points to itself; visual
   * tokens follow, `visualTokensPerImage` an image: batch · length + image · visualTokensPerImage + token. With a
   * `grid`, visual tokens are what that makes of the images' features.
   */
  readonly plan: Int32Array;
  /** [images, 3, height, width] */
  readonly pixelValues: Float32Array;
  /** How features of tiles become visual tokens, where images are cut into tiles; there `images` counts tiles. */
  readonly grid?: GridTokenPlan;
}

export interface BatchShape {
  readonly batch: number;
  readonly length: number;
  /** Images in `pixelValues`, blank ones included; may be 0. */
  readonly images: number;
  /** 0 where there are no images. */
  readonly height: number;
  readonly width: number;
  readonly visualTokensPerImage: number;
}
