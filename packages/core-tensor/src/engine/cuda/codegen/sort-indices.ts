import type { DType } from '../../../dtype.js';
import { cTypes } from './c-types.js';
import { failureFunctions, failureParameter } from './failure.js';
import { launch, reads, writes } from './launch-text.js';
import type { Lowered, PlannedLaunch, Role, Stored } from './lowered.js';

/** Up to so many indices, every index counts those before it: one launch, n² comparisons, a few microseconds for 8,192. */
const quadraticLimit = 65536;

/** Indices that a block of the radix sort handles. */
const radixTile = 4096;

/** Launches that sort indices, and where the result is. */
export interface SortedIndices extends Lowered {
  /** int32 [n]: sorted indices; those out of range became `rows` and are last. */
  readonly keys: Role;
  /** int32 [n]: where each was. Equal indices stay in their order. */
  readonly order: Role;
}

/**
 * A stable sort of indices (input `role`, [n], 0 … rows − 1), without atomics on what decides the order. The temporaries are
 * numbered from 0.
 */
export function sortIndices(role: number, dtype: DType, n: number, rows: number): SortedIndices {
  const pair: Stored[] = [
    { shape: [n], dtype: 'int32' },
    { shape: [n], dtype: 'int32' },
  ];
  return n <= quadraticLimit
    ? {
        launches: [byCounting(role, dtype, n, rows)],
        temporaries: pair,
        keys: 'temporary0',
        order: 'temporary1',
      }
    : byDigits(role, dtype, n, rows, pair);
}

/** A block finds the places of 32 indices; each of its eight warps compares them with an eighth of all. */
function byCounting(role: number, dtype: DType, n: number, rows: number): PlannedLaunch {
  const body = `
__shared__ int tile[8][32];
__shared__ int counts[8][32];
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
const int own = blockIdx.x * 32 + lane;
int mine = ${rows};
if (own < ${n}) {
  const int64 index = indices[own];
  if (warp == 0 ? index_fits(index, ${rows}, failure) : index >= 0 && index < ${rows}) mine = (int)index;
}
const int share = ${Math.ceil(n / 8)}, begin = warp * share, end = min(${n}, begin + share);
int count = 0;
for (int first = begin; first < end; first += 32) {
  __syncwarp();
  int other = ${rows};
  if (first + lane < end) {
    const int64 index = indices[first + lane];
    if (index >= 0 && index < ${rows}) other = (int)index;
  }
  tile[warp][lane] = other;
  __syncwarp();
  const int length = min(32, end - first);
  #pragma unroll 8
  for (int j = 0; j < length; j++) count += tile[warp][j] < mine || (tile[warp][j] == mine && first + j < own);
}
counts[warp][lane] = count;
__syncthreads();
if (warp != 0 || own >= ${n}) return;
int place = 0;
for (int each = 0; each < 8; each++) place += counts[each][lane];
keys[place] = mine;
order[place] = own;`;
  return launch({
    name: 'sort_indices',
    helpers: [failureFunctions],
    parameters: [
      reads(role, cTypes[dtype], 'indices'),
      writes('temporary0', 'int', 'keys'),
      writes('temporary1', 'int', 'order'),
      failureParameter,
    ],
    body,
    blocks: Math.ceil(n / 32),
    threads: 256,
  });
}

/** Radix sort from the lowest digit of eight bits: count, add up, move. */
function byDigits(role: number, dtype: DType, n: number, rows: number, pair: readonly Stored[]): SortedIndices {
  const passes = Math.max(1, Math.ceil(Math.log2(rows + 1) / 8));
  const blocks = Math.ceil(n / radixTile);
  const launches: PlannedLaunch[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const [from, to] = [2 * ((pass + 1) % 2), 2 * (pass % 2)];
    const source: Source = { role, dtype, n, rows, pass, from };
    launches.push(countDigits(source, blocks), addUp(blocks), moveByDigit(source, blocks, to));
  }
  const last = 2 * ((passes - 1) % 2);
  return {
    launches,
    temporaries: [...pair, ...pair, { shape: [256, blocks], dtype: 'int32' }],
    keys: `temporary${last}`,
    order: `temporary${last + 1}`,
  };
}

interface Source {
  readonly role: number;
  readonly dtype: DType;
  readonly n: number;
  readonly rows: number;
  readonly pass: number;
  /** The temporary that holds what the pass before left. */
  readonly from: number;
}

function sourceParameters({ role, dtype, pass, from }: Source) {
  return pass === 0 ? [reads(role, cTypes[dtype], 'indices')] : [reads(`temporary${from}`, 'int', 'indices')];
}

/** Statements that set `key` to index i, brought into range. */
function readKey({ rows, pass }: Source, check = false): string {
  const fits = check && pass === 0 ? `index_fits(index, ${rows}, failure)` : `index >= 0 && index < ${rows}`;
  return `const int64 index = indices[i]; const int key = ${fits} ? (int)index : ${rows};`;
}

function countDigits(source: Source, blocks: number): PlannedLaunch {
  const body = `
__shared__ int counts[256];
counts[threadIdx.x] = 0;
__syncthreads();
const int end = min(${source.n}, ((int)blockIdx.x + 1) * ${radixTile});
for (int i = blockIdx.x * ${radixTile} + threadIdx.x; i < end; i += 256) {
  ${readKey(source, true)}
  atomicAdd(&counts[(key >> ${source.pass * 8}) & 255], 1);
}
__syncthreads();
places[threadIdx.x * ${blocks} + blockIdx.x] = counts[threadIdx.x];`;
  return launch({
    name: 'count_digits',
    helpers: [failureFunctions],
    parameters: [...sourceParameters(source), writes('temporary4', 'int', 'places'), failureParameter],
    body,
    blocks,
    threads: 256,
  });
}

/** First places of each digit in each block: what precedes them in the order of digits, then of blocks. */
function addUp(blocks: number): PlannedLaunch {
  const body = `
__shared__ int totals[256];
int total = 0;
for (int i = 0; i < ${blocks}; i++) total += places[threadIdx.x * ${blocks} + i];
totals[threadIdx.x] = total;
__syncthreads();
int place = 0;
for (int digit = 0; digit < (int)threadIdx.x; digit++) place += totals[digit];
for (int i = 0; i < ${blocks}; i++) {
  const int count = places[threadIdx.x * ${blocks} + i];
  places[threadIdx.x * ${blocks} + i] = place;
  place += count;
}`;
  return launch({
    name: 'add_up_digits',
    parameters: [writes('temporary4', 'int', 'places')],
    body,
    blocks: 1,
    threads: 256,
  });
}

/** Of 256 indices at a time, each finds how many before it have its digit; the last of a digit moves its place on. */
function moveByDigit(source: Source, blocks: number, to: number): PlannedLaunch {
  const { n, pass, from } = source;
  const body = `
__shared__ int next[256];
__shared__ int digits[256];
next[threadIdx.x] = places[threadIdx.x * ${blocks} + blockIdx.x];
for (int tile = 0; tile < ${radixTile}; tile += 256) {
  const int i = blockIdx.x * ${radixTile} + tile + threadIdx.x;
  int mine = 0, digit = 256;
  if (i < ${n}) {
    ${readKey(source)}
    mine = key;
    digit = (key >> ${pass * 8}) & 255;
  }
  digits[threadIdx.x] = digit;
  __syncthreads();
  int before = 0, all = 0;
  #pragma unroll 8
  for (int j = 0; j < 256; j++) {
    const int same = digits[j] == digit;
    all += same;
    before += same && j < (int)threadIdx.x;
  }
  const int place = digit < 256 ? next[digit] + before : 0;
  __syncthreads();
  if (digit < 256) {
    if (before == all - 1) next[digit] = place + 1;
    keys[place] = mine;
    order[place] = ${pass === 0 ? 'i' : 'previous[i]'};
  }
  __syncthreads();
}`;
  return launch({
    name: 'move_by_digit',
    parameters: [
      ...sourceParameters(source),
      ...(pass === 0 ? [] : [reads(`temporary${from + 1}`, 'int', 'previous')]),
      reads('temporary4', 'int', 'places'),
      writes(`temporary${to}`, 'int', 'keys'),
      writes(`temporary${to + 1}`, 'int', 'order'),
    ],
    body,
    blocks,
    threads: 256,
  });
}
