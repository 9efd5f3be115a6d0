import { concat, gather, mul, reshape, sum, type Tensor, tensor } from '@ocelli/core-tensor';
import type { GridTokenPlan } from '@ocelli/data';

/** How features of tiles become visual tokens, as tensors: a {@link GridTokenPlan}. */
export interface GridTokens {
  /** int32 [tokens, taps]: rows of concat(features [inputs · features], newline [1]). */
  readonly rows: Tensor;
  /** float32 [tokens, taps]; absent where all are 1. */
  readonly weights?: Tensor;
}

/** A plan as tensors. */
export function gridTensors({ rows, weights, tokens, taps }: GridTokenPlan): GridTokens {
  return {
    rows: tensor(rows, [tokens, taps]),
    ...(taps === 1 ? {} : { weights: tensor(weights, [tokens, taps]) }),
  };
}

/**
 * Lays the features of tiles out as the visual tokens of images: the whole image, then the rows of its grid with a newline
 * behind each (LLaVA-NeXT's `spatial_unpad`). Differentiable in features and newline. Features of several layers take the
 * same road one by one.
 * features [inputs, features, width], newline [width] → [tokens, width]
 */
export function arrangeGridTokens(features: Tensor, newline: Tensor, { rows, weights }: GridTokens): Tensor {
  const width = newline.shape[0]!;
  const table = concat([reshape(features, [-1, width]), reshape(newline, [1, width])], 0);
  const picked = gather(table, rows); // [tokens, taps, width]
  if (weights === undefined) return reshape(picked, [-1, width]);
  return sum(mul(picked, reshape(weights, [...weights.shape, 1])), { axes: [1] });
}
