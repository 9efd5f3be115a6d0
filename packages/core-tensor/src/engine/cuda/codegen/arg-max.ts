import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { aroundAxis } from './indexing.js';
import { eachOf, indexType, integer, launch, reads, spread, writes } from './launch-text.js';
import { type CudaLowering, nothing, type PlannedLaunch, type Role, type Stored } from './lowered.js';
import { keyType, orderKeys } from './order-keys.js';

/** Elements that a block looks at, where there are too few lines to give every multiprocessor one. */
const share = 4096;

/** Lines from which on a block each keeps the card busy. */
const manyLines = 64;

/**
 * The largest element of each line, NaN above all, the first of equals. A block per line where lines are contiguous; few long
 * lines (the vocabulary, when a word is chosen) are cut into parts whose winners meet in a second launch. Else a thread per
 * line.
 */
export const argMax: CudaLowering<'argMax'> = ({ inputs: [x], shape, attributes: { axis } }) => {
  if (sizeOf(shape) === 0) return nothing;
  const { outer, size, inner } = aroundAxis(x!.shape, axis);
  if (inner > 1) return { launches: [strided(x!, outer, size, inner)], temporaries: [] };
  const parts = outer < manyLines ? Math.ceil(size / share) : 1;
  if (parts === 1) return { launches: [contiguous(x!, { lines: outer, size, parts, to: 'out' })], temporaries: [] };
  return {
    launches: [
      contiguous(x!, { lines: outer, size, parts, to: 'temporary0' }),
      contiguous(x!, { lines: outer, size, parts: 1, to: 'out', candidates: parts }),
    ],
    temporaries: [{ shape: [outer, parts], dtype: 'int32' }],
  };
};

interface Lines {
  readonly lines: number;
  readonly size: number;
  readonly parts: number;
  readonly to: Role;
  /** The places to choose from, if not all. */
  readonly candidates?: number;
}

function contiguous({ dtype }: Stored, { lines, size, parts, to, candidates }: Lines): PlannedLaunch {
  const count = candidates ?? Math.ceil(size / parts);
  const threads = Math.min(512, Math.max(32, 32 * Math.ceil(count / 128)));
  const key = keyType(dtype);
  const body = `
__shared__ ${key} keys[${threads / 32}];
__shared__ int places[${threads / 32}];
const int line = blockIdx.x / ${parts}, part = blockIdx.x % ${parts};
const ${cTypes[dtype]}* elements = x + (int64)line * ${size};
${key} best = 0;
int place = 2147483647;
const int end = ${candidates ? count : `min(${size}, (part + 1) * ${count})`};
#pragma unroll 8
for (int i = part * ${count} + threadIdx.x; i < end; i += ${threads}) {
  const int at = ${candidates ? `candidates[line * ${count} + i]` : 'i'};
  const ${key} own = order_key(elements[at]);
  if (own > best || (own == best && at < place)) { best = own; place = at; }
}
for (int lane = 16; lane > 0; lane >>= 1) {
  const ${key} other = __shfl_xor_sync(0xffffffffu, best, lane);
  const int at = __shfl_xor_sync(0xffffffffu, place, lane);
  if (other > best || (other == best && at < place)) { best = other; place = at; }
}
if ((threadIdx.x & 31) == 0) { keys[threadIdx.x >> 5] = best; places[threadIdx.x >> 5] = place; }
__syncthreads();
if (threadIdx.x != 0) return;
for (int warp = 1; warp < ${threads / 32}; warp++)
  if (keys[warp] > best || (keys[warp] == best && places[warp] < place)) { best = keys[warp]; place = places[warp]; }
out[blockIdx.x] = place;`;
  return launch({
    name: 'arg_max',
    helpers: [orderKeys],
    parameters: [
      reads(0, cTypes[dtype], 'x'),
      ...(candidates ? [reads('temporary0', 'int', 'candidates')] : []),
      writes(to, 'int', 'out'),
    ],
    body,
    blocks: lines * parts,
    threads,
  });
}

function strided({ dtype }: Stored, outer: number, size: number, inner: number): PlannedLaunch {
  const lines = outer * inner;
  const index = indexType(lines * size);
  const body = `
${eachOf(lines)}
const ${index} first = (${index})(i / ${integer(inner)}) * ${integer(size * inner)} + i % ${integer(inner)};
${keyType(dtype)} best = order_key(x[first]);
int place = 0;
for (int at = 1; at < ${size}; at++) {
  const ${keyType(dtype)} own = order_key(x[first + (${index})at * ${integer(inner)}]);
  if (own > best) { best = own; place = at; }
}
out[i] = place;`;
  return launch({
    name: 'arg_max',
    helpers: [orderKeys],
    parameters: [reads(0, cTypes[dtype], 'x'), writes('out', 'int', 'out')],
    body,
    ...spread(lines),
  });
}
