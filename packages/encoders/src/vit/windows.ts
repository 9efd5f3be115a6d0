import { pad, reshape, slice, type Tensor, transpose } from '@ocelli/core-tensor';

/** How many cells are missing to a whole number of windows. */
function missing(length: number, side: number): number {
  return (side - (length % side)) % side;
}

/**
 * Cuts a grid of tokens into square windows, for attention within each. Where the side does not divide the grid, zero
 * cells are put on the right and at the bottom; they take part in the attention of their windows.
 * x [batch, rows, columns, width] → [batch · windows, side², width], windows row by row, and their cells too.
 *
 * Source: `window_partition` of ViTDet (Li et al. 2022, "Exploring Plain Vision Transformer Backbones for Object
 * Detection"), which EVA-02 and SAM share.
 */
export function partitionWindows(x: Tensor, side: number): Tensor {
  const [batch, rows, columns, width] = x.shape as [number, number, number, number];
  const padded = pad(x, { before: [0, 0, 0, 0], after: [0, missing(rows, side), missing(columns, side), 0] });
  const [down, across] = [padded.shape[1]! / side, padded.shape[2]! / side];
  const cut = transpose(reshape(padded, [batch, down, side, across, side, width]), [0, 1, 3, 2, 4, 5]);
  return reshape(cut, [batch * down * across, side * side, width]); // [batch · windows, side², width]
}

/**
 * The inverse of {@link partitionWindows}, without the cells that were added.
 * windows [batch · windows, side², width] → [batch, rows, columns, width].
 */
export function joinWindows(
  windows: Tensor,
  side: number,
  [rows, columns]: readonly [rows: number, columns: number],
): Tensor {
  const [down, across] = [(rows + missing(rows, side)) / side, (columns + missing(columns, side)) / side];
  const [count, , width] = windows.shape as [number, number, number];
  const batch = count / (down * across);
  const cut = transpose(reshape(windows, [batch, down, across, side, side, width]), [0, 1, 3, 2, 4, 5]);
  const grid = reshape(cut, [batch, down * side, across * side, width]); // with the added cells
  return slice(grid, [0, 0, 0, 0], [batch, rows, columns, width]);
}

/** Cells of a grid as tokens, row by row: [batch, rows, columns, width] → [batch, rows · columns, width]. */
export function gridToTokens(x: Tensor): Tensor {
  const [batch, rows, columns, width] = x.shape as [number, number, number, number];
  return reshape(x, [batch, rows * columns, width]);
}
