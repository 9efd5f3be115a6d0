import { type Tensor, tensor } from '@ocelli/core-tensor';
import type { Batch } from '@ocelli/data';
import { type GridTokens, gridTensors } from './grid-tokens.js';

/** A batch of multimodal sequences as tensors. */
export interface VisionLanguageBatch {
  /** int32 [batch, length]; any id where an image is. */
  readonly inputIds: Tensor;
  /** int32 [batch, length]: rows of concat(text embeddings [batch · length], visual tokens [images · tokens], zeros [1]). */
  readonly plan: Tensor;
  /** int32 [batch, length]; −100 where nothing is trained. */
  readonly labels: Tensor;
  /** int32 [batch, length]; 1 at tokens and images, 0 at padding. */
  readonly attentionMask: Tensor;
  /** int32 [batch, length] */
  readonly positions: Tensor;
  /** float32 [images, 3, height, width] */
  readonly pixelValues: Tensor;
  /** What the visual tokens are made by, where images are cut into tiles. */
  readonly grid?: GridTokens;
}

/** A collated batch as tensors. */
export function toTensors({
  shape,
  inputIds,
  plan,
  labels,
  attentionMask,
  positions,
  pixelValues,
  grid,
}: Batch): VisionLanguageBatch {
  const cells = [shape.batch, shape.length];
  return {
    inputIds: tensor(inputIds, cells),
    plan: tensor(plan, cells),
    labels: tensor(labels, cells),
    attentionMask: tensor(attentionMask, cells),
    positions: tensor(positions, cells),
    pixelValues: tensor(pixelValues, [shape.images, 3, shape.height, shape.width]),
    ...(grid === undefined ? {} : { grid: gridTensors(grid) }),
  };
}
