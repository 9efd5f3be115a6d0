import {
  broadcastTo,
  concat,
  gather,
  interpolate,
  matmul,
  mul,
  reshape,
  type Tensor,
  tensor,
  transpose,
} from '@ocelli/core-tensor';

/** Tables of learned vectors, one for each offset between two rows, and between two columns. */
export interface RelativePositions {
  /** [2 · rows − 1, head width]; resized linearly where the grid has another number of rows. */
  readonly rows: Tensor;
  /** [2 · columns − 1, head width], likewise. */
  readonly columns: Tensor;
}

/**
 * Queries and keys whose product is the attention score of SAM with its decomposed relative positions (Li et al. 2022,
 * "MViTv2"): (q·d^−½)·k + q·R[row of q − row of k] + q·C[column of q − column of k], q unscaled in the last two.
 * q, k [batch, heads, rows · columns, d] → queries, keys [batch, heads, rows · columns, d + rows + columns].
 *
 * The terms of all rows and columns become channels of the query, and a key has a one for its row and one for its
 * column: one product then sums everything, where adding the terms to the scores would go through a tensor of
 * (rows · columns)² elements a head twice more.
 */
export function joinRelativePositions(
  q: Tensor,
  k: Tensor,
  tables: RelativePositions,
  [rows, columns]: readonly [rows: number, columns: number],
): [queries: Tensor, keys: Tensor] {
  const [batch, heads, tokens, width] = q.shape as [number, number, number, number];
  const cells = reshape(q, [batch * heads, rows, columns, width]);
  const byRow = matmul(cells, offsets(tables.rows, rows), { transposeB: true }); // [batch · heads, rows, columns, rows]
  const turned = transpose(cells, [0, 2, 1, 3]); // [batch · heads, columns, rows, width]
  const byColumn = transpose(matmul(turned, offsets(tables.columns, columns), { transposeB: true }), [0, 2, 1, 3]);
  const queries = concat(
    [
      mul(q, width ** -0.5),
      reshape(byRow, [batch, heads, tokens, rows]),
      reshape(byColumn, [batch, heads, tokens, columns]),
    ],
    -1,
  );
  const places = broadcastTo(placesOf(rows, columns), [batch, heads, tokens, rows + columns]);
  return [queries, concat([k, places], -1)];
}

/** The vector of each pair of places on a side, [length, length, width]: entry (i, j) belongs to the offset i − j. */
function offsets(table: Tensor, length: number): Tensor {
  const indices = Int32Array.from(
    { length: length * length },
    (_, pair) => Math.floor(pair / length) - (pair % length) + length - 1,
  );
  return gather(resized(table, 2 * length - 1), tensor(indices, [length, length]));
}

function resized(table: Tensor, size: number): Tensor {
  const [count, width] = table.shape as [number, number];
  if (count === size) return table;
  const line = interpolate(reshape(transpose(table), [1, width, count]), { size, mode: 'linear' }); // [1, width, size]
  return transpose(reshape(line, [width, size]));
}

/** For each cell a one at its row and a one at its column, [rows · columns, rows + columns]. */
function placesOf(rows: number, columns: number): Tensor {
  const width = rows + columns;
  const places = new Float32Array(rows * columns * width);
  for (let cell = 0; cell < rows * columns; cell++) {
    places[cell * width + Math.floor(cell / columns)] = 1;
    places[cell * width + rows + (cell % columns)] = 1;
  }
  return tensor(places, [rows * columns, width]);
}
