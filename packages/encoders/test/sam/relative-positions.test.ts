import {
  attention,
  closeEngine,
  initializers,
  interpolate,
  randomKey,
  reshape,
  tensor,
  transpose,
} from '@ocelli/core-tensor';
import { afterAll, expect, it } from 'vitest';
import { joinRelativePositions } from '../../src/sam/relative-positions.js';

afterAll(closeEngine);

const random = (key: string, ...shape: number[]) => tensor(initializers.normal()(shape, randomKey(key)), shape);

const [heads, rows, columns, width] = [2, 3, 4, 5];
const tokens = rows * columns;

/** Scores of the joined queries and keys, [heads, tokens, tokens]. */
async function scoresOf(
  tables: Parameters<typeof joinRelativePositions>[2],
): Promise<(i: [number, number, number]) => number> {
  const [queries, keys] = joinRelativePositions(
    random('q', 1, heads, tokens, width),
    random('k', 1, heads, tokens, width),
    tables,
    [rows, columns],
  );
  const inner = width + rows + columns;
  expect(queries.shape).toEqual([1, heads, tokens, inner]);
  const [a, b] = [await queries.data(), await keys.data()];
  return ([head, i, j]) => {
    let sum = 0;
    for (let c = 0; c < inner; c++)
      sum += Number(a[(head * tokens + i) * inner + c]) * Number(b[(head * tokens + j) * inner + c]);
    return sum;
  };
}

/** The same by the definition, one score at a time. */
async function definition(byRow: ArrayLike<number | bigint>, byColumn: ArrayLike<number | bigint>) {
  const [q, k] = [await random('q', 1, heads, tokens, width).data(), await random('k', 1, heads, tokens, width).data()];
  return ([head, i, j]: [number, number, number]) => {
    let sum = 0;
    for (let c = 0; c < width; c++) {
      const query = Number(q[(head * tokens + i) * width + c]);
      const down = Math.floor(i / columns) - Math.floor(j / columns) + rows - 1;
      const across = (i % columns) - (j % columns) + columns - 1;
      sum += (query / Math.sqrt(width)) * Number(k[(head * tokens + j) * width + c]);
      sum += query * (Number(byRow[down * width + c]) + Number(byColumn[across * width + c]));
    }
    return sum;
  };
}

const places = Array.from({ length: heads * tokens * tokens }, (_, index): [number, number, number] => [
  Math.floor(index / tokens ** 2),
  Math.floor(index / tokens) % tokens,
  index % tokens,
]);

it('adds the unscaled query times the offset between rows and between columns to each score', async () => {
  const tables = { rows: random('r', 2 * rows - 1, width), columns: random('c', 2 * columns - 1, width) };
  const ours = await scoresOf(tables);
  const expected = await definition(await tables.rows.data(), await tables.columns.data());
  for (const place of places) expect(ours(place)).toBeCloseTo(expected(place), 4);
});

it('resizes tables of another grid linearly', async () => {
  const tables = { rows: random('r', 9, width), columns: random('c', 3, width) };
  const resize = async (table: typeof tables.rows, size: number) => {
    const line = reshape(transpose(table), [1, width, table.shape[0]!]);
    return transpose(reshape(interpolate(line, { size, mode: 'linear' }), [width, size])).data();
  };
  const ours = await scoresOf(tables);
  const expected = await definition(
    await resize(tables.rows, 2 * rows - 1),
    await resize(tables.columns, 2 * columns - 1),
  );
  for (const place of places) expect(ours(place)).toBeCloseTo(expected(place), 4);
});

it('is plain attention where all offsets are zero', async () => {
  const [q, k, v] = ['q', 'k', 'v'].map((key) => random(key, 1, heads, tokens, width)) as [
    ReturnType<typeof random>,
    ReturnType<typeof random>,
    ReturnType<typeof random>,
  ];
  const zero = (length: number) => tensor(new Float32Array(length * width), [length, width]);
  const tables = { rows: zero(2 * rows - 1), columns: zero(2 * columns - 1) };
  const [queries, keys] = joinRelativePositions(q, k, tables, [rows, columns]);
  const joined = await attention(queries, keys, v, { scale: 1 }).data();
  const plain = await attention(q, k, v).data();
  joined.forEach((value: number | bigint, index: number) => {
    expect(Number(value)).toBeCloseTo(Number(plain[index]), 5);
  });
});
