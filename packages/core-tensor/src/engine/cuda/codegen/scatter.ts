import { byteSize, isFloating } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { failureFunctions, failureParameter } from './failure.js';
import {
  eachOf,
  indexType,
  integer,
  launch,
  reads,
  spread,
  summation,
  widestWord,
  wordTypes,
  writes,
} from './launch-text.js';
import { type CudaLowering, type Lowered, nothing, type PlannedLaunch, type Role } from './lowered.js';
import { sortIndices } from './sort-indices.js';

type RowsNode = Parameters<CudaLowering<'scatterAddRows'>>[0];

/** Up to so many updates, every element of the result looks through all indices. */
const fewUpdates = 64;

/**
 * Sums are made in the order of the updates, whatever the indices: no atomics. Few updates: every element of the result looks
 * through the indices. Many: the indices are sorted (stably), chunks of the sorted updates are added up side by side, and the
 * sums of rows that span several chunks are put together; a row that all updates go to takes no longer than any other. The
 * result is set to zero before, at the speed of memory, which is most of the time for a vocabulary.
 */
export const scatterAddRows: CudaLowering<'scatterAddRows'> = (node) => {
  const { shape, inputs } = node;
  if (sizeOf(shape) === 0) return nothing;
  return inputs[0]!.shape[0]! <= fewUpdates ? direct(node) : bySorting(node);
};

function direct({ inputs, shape, dtype }: RowsNode): Lowered {
  const [indices, updates] = inputs;
  const n = indices!.shape[0]!;
  const length = sizeOf(shape.slice(1));
  const total = sizeOf(shape);
  const { type, add, store } = summation(dtype);
  const term = summation(updates!.dtype).load(`updates[(${indexType(n * length)})j * ${integer(length)} + column]`);
  const body = `
${eachOf(total)}
const int row = (int)(i / ${integer(length)}), column = (int)(i % ${integer(length)});
${type} sum = 0;
for (int j = 0; j < ${n}; j++) {
  const int64 index = indices[j];
  if (i == 0) index_fits(index, ${shape[0]}, failure);
  if (index == row) sum = ${add('sum', term)};
}
out[i] = ${store('sum')};`;
  return {
    launches: [
      launch({
        name: 'scatter_add_rows',
        helpers: [failureFunctions],
        parameters: [
          reads(0, cTypes[indices!.dtype], 'indices'),
          reads(1, cTypes[updates!.dtype], 'updates'),
          writes('out', cTypes[dtype], 'out'),
          failureParameter,
        ],
        body,
        ...spread(total),
      }),
    ],
    temporaries: [],
  };
}

function bySorting({ inputs, shape, dtype }: RowsNode): Lowered {
  const [indices, updates] = inputs;
  const n = indices!.shape[0]!;
  const rows = shape[0]!;
  const length = sizeOf(shape.slice(1));
  const sorted = sortIndices(0, indices!.dtype, n, rows);
  // As many chunks as updates in a chunk, roughly: neither part of the sum becomes long.
  const chunk = Math.min(256, Math.max(16, 2 ** Math.round(Math.log2(n) / 2)));
  const chunks = Math.ceil(n / chunk);
  const partial: Role = `temporary${sorted.temporaries.length}`;
  const sums: Sums = { n, rows, length, chunk, chunks, keys: sorted.keys, order: sorted.order, partial };
  return {
    launches: [
      zeros(sizeOf(shape), dtype),
      ...sorted.launches,
      sumChunks(sums, updates!.dtype, dtype),
      joinChunks(sums, dtype),
    ],
    temporaries: [
      ...sorted.temporaries,
      // First and last row of each chunk, where they go on in another.
      { shape: [chunks, 2, length], dtype: isFloating(dtype) ? 'float32' : dtype === 'int64' ? 'int64' : 'int32' },
    ],
  };
}

interface Sums {
  readonly n: number;
  readonly rows: number;
  readonly length: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly keys: Role;
  readonly order: Role;
  readonly partial: Role;
}

type Held = RowsNode['dtype'];

function zeros(count: number, dtype: Held): PlannedLaunch {
  const bytes = count * byteSize(dtype);
  const word = widestWord([bytes]);
  const total = bytes / word.bytes;
  const zero = word.bytes > 4 ? `${word.type} zero = {};` : `const ${word.type} zero = 0;`;
  return launch({
    name: 'zeros',
    helpers: [wordTypes],
    parameters: [writes('out', word.type, 'out')],
    body: `${eachOf(total)}\n${zero}\nout[i] = zero;`,
    ...spread(total),
  });
}

/** A thread per chunk and column; four rows are fetched at once, whoever they belong to. */
function sumChunks(
  { n, rows, length, chunk, chunks, keys, order, partial }: Sums,
  from: Held,
  to: Held,
): PlannedLaunch {
  const total = chunks * length;
  const { type, add, store } = summation(to);
  const index = indexType(n * length, rows * length, 2 * total);
  const term = summation(from).load(`updates[(${index})order[place + j] * ${integer(length)} + column]`);
  const body = `
${eachOf(total, 128)}
const int part = (int)(i / ${integer(length)}), column = (int)(i % ${integer(length)});
const int begin = part * ${chunk}, end = min(${n}, begin + ${chunk});
bool inside = begin == 0 || keys[begin - 1] != keys[begin];
${type} sum = 0;
for (int place = begin; place < end; place += 4) {
  ${type} terms[4];
  #pragma unroll
  for (int j = 0; j < 4; j++) terms[j] = place + j < end ? ${term} : (${type})0;
  #pragma unroll
  for (int j = 0; j < 4; j++) {
    if (place + j >= end) break;
    sum = ${add('sum', 'terms[j]')};
    const int key = keys[place + j];
    const bool last = place + j + 1 == ${n} || keys[place + j + 1] != key;
    if (!last && place + j + 1 < end) continue;
    if (inside && last) {
      if (key < ${rows}) out[(${index})key * ${integer(length)} + column] = ${store('sum')};
    } else {
      partial[((${index})part * 2 + inside) * ${integer(length)} + column] = sum;
    }
    inside = true;
    sum = 0;
  }
}`;
  return launch({
    name: 'sum_chunks',
    parameters: [
      reads(keys, 'int', 'keys'),
      reads(order, 'int', 'order'),
      reads(1, cTypes[from], 'updates'),
      writes('out', cTypes[to], 'out'),
      writes(partial, type, 'partial'),
    ],
    body,
    ...spread(total, 128),
  });
}

/** The chunk in which a row begins, and does not end, adds what the following chunks have of it. */
function joinChunks({ n, rows, length, chunk, chunks, keys, partial }: Sums, dtype: Held): PlannedLaunch {
  const total = chunks * length;
  const { type, add, store } = summation(dtype);
  const index = indexType(rows * length, 2 * total);
  const body = `
${eachOf(total, 128)}
const int part = (int)(i / ${integer(length)}), column = (int)(i % ${integer(length)});
const int end = (part + 1) * ${chunk};
if (end >= ${n}) return;
const int key = keys[end - 1];
if (keys[end] != key || key >= ${rows}) return;
const bool whole = keys[part * ${chunk}] == key;
if (whole && part > 0 && keys[part * ${chunk} - 1] == key) return;
${type} sum = partial[((${index})part * 2 + 1) * ${integer(length)} + column];
for (int next = part + 1; next < ${chunks}; next++) {
  sum = ${add('sum', `partial[(${index})next * ${integer(2 * length)} + column]`)};
  const int after = (next + 1) * ${chunk};
  if (after >= ${n} || keys[after] != key || keys[after - 1] != key) break;
}
out[(${index})key * ${integer(length)} + column] = ${store('sum')};`;
  return launch({
    name: 'join_chunks',
    parameters: [reads(keys, 'int', 'keys'), reads(partial, type, 'partial'), writes('out', cTypes[dtype], 'out')],
    body,
    ...spread(total, 128),
  });
}
