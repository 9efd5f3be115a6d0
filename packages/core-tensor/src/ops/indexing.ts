import { normalizeAxis } from '../graph/shape.js';
import { record, type Tensor, tensor } from '../tensor.js';

/** Constant indices may be given as an array. */
export type Indices = Tensor | Int32Array;

function asIndices(indices: Indices): Tensor {
  return indices instanceof Int32Array ? tensor(indices) : indices;
}

/**
 * Slices of x picked along an axis: x [.., n, ..] and indices [i, j] → [.., i, j, ..].
 *
 * @param indices int32 or int64 between 0 and n − 1.
 */
export function gather(x: Tensor, indices: Indices, { axis = 0 }: { axis?: number } = {}): Tensor {
  return record('gather', [x, asIndices(indices)], { axis: normalizeAxis('gather', axis, x.shape) });
}

/** Zeros [rows, ...] to which row i of updates [n, ...] is added at row indices[i]; equal indices add up. */
export function scatterAddRows(indices: Indices, updates: Tensor, rows: number): Tensor {
  return record('scatterAddRows', [asIndices(indices), updates], { rows });
}

/** Elements of x picked along an axis, separately at every other place (PyTorch's `gather`). */
export function takeAlongAxis(x: Tensor, indices: Indices, axis: number): Tensor {
  return record('takeAlongAxis', [x, asIndices(indices)], { axis: normalizeAxis('takeAlongAxis', axis, x.shape) });
}

/** The transpose of {@link takeAlongAxis}: zeros with `size` elements along the axis, to which the updates are added. */
export function scatterAddAlongAxis(
  indices: Indices,
  updates: Tensor,
  { axis, size }: { axis: number; size: number },
): Tensor {
  const index = normalizeAxis('scatterAddAlongAxis', axis, updates.shape);
  return record('scatterAddAlongAxis', [asIndices(indices), updates], { axis: index, size });
}

/**
 * x with a slice replaced: places start, start + 1, … along an axis become those of `update`. Where such a result
 * takes the place of its donated `x` (see `compile`), nothing but the slice is written.
 * x [.., n, ..], update [.., k, ..] → [.., n, ..]
 *
 * @param start scalar, int32 or int64, between 0 and n − k.
 */
export function updateSlice(x: Tensor, update: Tensor, start: Tensor, axis: number): Tensor {
  return record('updateSlice', [x, update, start], { axis: normalizeAxis('updateSlice', axis, x.shape) });
}
