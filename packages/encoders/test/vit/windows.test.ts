import { closeEngine, tensor } from '@ocelli/core-tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { gridToTokens, joinWindows, partitionWindows } from '../../src/vit/windows.js';

afterAll(closeEngine);

/** Cells numbered from 1, [batch, rows, columns, 1]. */
function numbered(batch: number, rows: number, columns: number) {
  return tensor(
    Float32Array.from({ length: batch * rows * columns }, (_, cell) => cell + 1),
    [batch, rows, columns, 1],
  );
}

describe('windows of a grid', () => {
  it('lie row by row, filled up with zeros at the right and at the bottom', async () => {
    const windows = partitionWindows(numbered(1, 3, 3), 2);
    expect(windows.shape).toEqual([4, 4, 1]);
    expect([...(await windows.data())]).toEqual([1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 0, 0, 9, 0, 0, 0]);
  });

  it.each([
    [2, 4, 6, 2],
    [3, 5, 7, 4],
    [1, 2, 2, 5],
  ])('of %d images of %d × %d cells, %d a side, join to the same grid', async (batch, rows, columns, side) => {
    const x = numbered(batch, rows, columns);
    const joined = joinWindows(partitionWindows(x, side), side, [rows, columns]);
    expect(joined.shape).toEqual(x.shape);
    expect([...(await joined.data())]).toEqual([...(await x.data())]);
  });
});

it('takes cells as tokens row by row', async () => {
  const tokens = gridToTokens(numbered(2, 2, 3));
  expect(tokens.shape).toEqual([2, 6, 1]);
  expect([...(await tokens.data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});
