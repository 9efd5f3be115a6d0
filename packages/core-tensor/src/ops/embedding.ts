import type { Tensor } from '../tensor.js';
import { equal, where } from './compare.js';
import { stopGradient } from './gradient-control.js';
import { gather } from './indexing.js';
import { expandDims } from './rearrange.js';

/**
 * Rows of a table. ids [...] (int32 or int64), table [rows, width] → [..., width].
 *
 * @param options.paddingIndex this row is read but gets no gradient.
 */
export function embedding(
  ids: Tensor,
  table: Tensor,
  { paddingIndex }: { paddingIndex?: number | undefined } = {},
): Tensor {
  const rows = gather(table, ids);
  if (paddingIndex === undefined) return rows;
  return where(expandDims(equal(ids, paddingIndex), -1), stopGradient(rows), rows);
}
