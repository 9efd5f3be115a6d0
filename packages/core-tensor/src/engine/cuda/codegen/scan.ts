import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { aroundAxis } from './indexing.js';
import { eachOf, indexType, integer, launch, reads, spread, summation, writes } from './launch-text.js';
import { type CudaLowering, nothing } from './lowered.js';

/** A block per line where lines are contiguous, else a thread per line, neighbours beside each other. */
export const cumsum: CudaLowering<'cumsum'> = (node) => {
  const { shape, attributes } = node;
  if (sizeOf(shape) === 0) return nothing;
  const { outer, size, inner } = aroundAxis(shape, attributes.axis);
  const text = inner === 1 ? contiguous(node, outer, size) : strided(node, outer, size, inner);
  return {
    launches: [
      launch({
        name: 'cumsum',
        parameters: [reads(0, cTypes[node.inputs[0]!.dtype], 'x'), writes('out', cTypes[node.dtype], 'out')],
        ...text,
      }),
    ],
    temporaries: [],
  };
};

type Node = Parameters<typeof cumsum>[0];

/** Tiles of four elements a thread, scanned within warps and then over the warps; what went before is carried on. */
function contiguous({ inputs, dtype, attributes: { reverse } }: Node, lines: number, size: number) {
  const threads = Math.min(1024, Math.max(32, 32 * Math.ceil(size / 128)));
  const warps = threads / 32;
  const { type, add, store } = summation(dtype);
  const place = (position: string) => (reverse ? `${size - 1} - (${position})` : position);
  const loaded = summation(inputs[0]!.dtype).load('line[at]');
  const body = `
__shared__ ${type} totals[${warps}];
const int64 first = (int64)blockIdx.x * ${integer(size)};
const ${cTypes[inputs[0]!.dtype]}* line = x + first;
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
${type} carry = 0;
for (int tile = 0; tile < ${size}; tile += ${threads * 4}) {
  const int begin = tile + threadIdx.x * 4;
  ${type} sums[4], total = 0;
  for (int j = 0; j < 4; j++) {
    if (begin + j < ${size}) {
      const int at = ${place('begin + j')};
      total = ${add('total', loaded)};
    }
    sums[j] = total;
  }
  ${type} before = total;
  for (int distance = 1; distance < 32; distance *= 2) {
    const ${type} other = __shfl_up_sync(0xffffffffu, before, distance);
    if (lane >= distance) before = ${add('other', 'before')};
  }
  if (lane == 31) totals[warp] = before;
  ${type} preceding = __shfl_up_sync(0xffffffffu, before, 1);
  if (lane == 0) preceding = 0;
  __syncthreads();
  ${type} all = carry;
  for (int other = 0; other < ${warps}; other++) {
    if (other == warp) preceding = ${add('all', 'preceding')};
    all = ${add('all', 'totals[other]')};
  }
  carry = all;
  for (int j = 0; j < 4; j++) {
    if (begin + j < ${size}) out[first + ${place('begin + j')}] = ${store(add('preceding', 'sums[j]'))};
  }
  __syncthreads();
}`;
  return { body, blocks: lines, threads };
}

function strided({ inputs, dtype, attributes: { reverse } }: Node, outer: number, size: number, inner: number) {
  const lines = outer * inner;
  const index = indexType(lines * size);
  const { type, add, store } = summation(dtype);
  const body = `
${eachOf(lines)}
${index} at = (${index})(i / ${integer(inner)}) * ${integer(size * inner)} + i % ${integer(inner)}${reverse ? ` + ${integer((size - 1) * inner)}` : ''};
${type} total = 0;
for (int place = 0; place < ${size}; place++, at ${reverse ? '-' : '+'}= ${integer(inner)}) {
  total = ${add('total', summation(inputs[0]!.dtype).load('x[at]'))};
  out[at] = ${store('total')};
}`;
  return { body, ...spread(lines) };
}
