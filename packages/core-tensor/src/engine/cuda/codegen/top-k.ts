import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { integer, launch, reads, writes } from './launch-text.js';
import { type CudaLowering, nothing, type PlannedLaunch, type Role, type Stored } from './lowered.js';
import { keyType, orderKeys } from './order-keys.js';

/** Elements that a block orders among themselves. */
const part = 1024;

/**
 * Every element counts those before it in the order of its line: larger ones (or smaller ones), NaN first, and equal ones at
 * lower places. That is quadratic, so a long line is cut into parts; the first elements of each part go on to the next
 * launch, until one part is left: a vocabulary of 151,936 and 50 candidates take three launches. Where nearly all are wanted
 * a line is ordered as a whole.
 */
export const topKIndices: CudaLowering<'topKIndices'> = ({ inputs: [x], shape, attributes: { count, largest } }) => {
  if (sizeOf(shape) === 0) return nothing;
  const size = x!.shape.at(-1)!;
  const lines = sizeOf(shape) / count;
  const launches: PlannedLaunch[] = [];
  const temporaries: Stored[] = [];
  const round = (from: number, each: number, to: Role) => {
    const before: Role | undefined = temporaries.length > 0 ? `temporary${temporaries.length - 1}` : undefined;
    launches.push(ranked(x!, { lines, size, from, part: each, count, largest, before, to }));
  };
  let from = size;
  while (from > part && count <= part / 2) {
    const parts = Math.ceil(from / part);
    round(from, part, `temporary${temporaries.length}`);
    from = (parts - 1) * count + Math.min(count, from - (parts - 1) * part);
    temporaries.push({ shape: [lines, from], dtype: 'int32' });
  }
  round(from, from, 'out');
  return { launches, temporaries };
};

interface Round {
  readonly lines: number;
  /** Elements of a line of x. */
  readonly size: number;
  /** Candidates of a line: all elements, or those that `before` names. */
  readonly from: number;
  /** Candidates that are ordered together. */
  readonly part: number;
  readonly count: number;
  readonly largest: boolean;
  readonly before: Role | undefined;
  readonly to: Role;
}

/** Candidates are in the order of their places wherever they are equal, so that comparing positions is enough. */
function ranked({ dtype }: Stored, round: Round): PlannedLaunch {
  const { lines, size, from, part: together, count, largest, before, to } = round;
  const parts = Math.ceil(from / together);
  const kept = parts === 1 ? count : (parts - 1) * count + Math.min(count, from - (parts - 1) * together);
  const threads = Math.min(256, 32 * Math.ceil(together / 32));
  const pieces = Math.ceil(together / threads);
  const key = keyType(dtype);
  const tile = Math.min(1024, threads * pieces);
  const keyOf = largest ? 'order_key' : 'order_key_of_smallest';
  const at = before ? `candidates[(int64)line * ${integer(from)} + i]` : 'i';
  const body = `
__shared__ ${key} keys[${tile}];
int block = blockIdx.x;
const int piece = block % ${pieces};
block /= ${pieces};
const int part = block % ${parts}, line = block / ${parts};
const ${cTypes[dtype]}* elements = x + (int64)line * ${integer(size)};
const int begin = part * ${together}, end = min(${from}, begin + ${together});
const int own = begin + piece * ${threads} + threadIdx.x;
int place = 0;
${key} mine = 0;
if (own < end) { const int i = own; place = ${at}; mine = ${keyOf}(elements[place]); }
int rank = 0;
for (int first = begin; first < end; first += ${tile}) {
  __syncthreads();
  for (int i = first + threadIdx.x; i < first + ${tile} && i < end; i += ${threads}) keys[i - first] = ${keyOf}(elements[${at}]);
  __syncthreads();
  const int length = min(${tile}, end - first);
  #pragma unroll 8
  for (int j = 0; j < length; j++) rank += keys[j] > mine || (keys[j] == mine && first + j < own);
}
if (own < end && rank < ${count}) out[(int64)line * ${kept} + part * ${count} + rank] = place;`;
  return launch({
    name: 'top_k',
    helpers: [orderKeys],
    parameters: [
      reads(0, cTypes[dtype], 'x'),
      ...(before === undefined ? [] : [reads(before, 'int', 'candidates')]),
      writes(to, 'int', 'out'),
    ],
    body,
    blocks: lines * parts * pieces,
    threads,
  });
}
