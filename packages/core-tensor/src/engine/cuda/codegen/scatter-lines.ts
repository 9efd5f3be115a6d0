import { isFloating } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { failureFunctions, failureParameter } from './failure.js';
import { aroundAxis } from './indexing.js';
import { eachOf, indexType, integer, launch, type Parameter, reads, spread, summation, writes } from './launch-text.js';
import { type CudaLowering, nothing, type PlannedLaunch } from './lowered.js';

/** Updates of a line up to which every element of the result looks through all of them. */
const fewUpdates = 16;

/** Elements of a line whose sums are in shared memory together. */
const tile = 4096;

type Node = Parameters<CudaLowering<'scatterAddAlongAxis'>>[0];

/**
 * The same bits at every run, by sums that do not depend on their order. Few updates a line, as in the gradient of picking a
 * word's logit: every element of the result looks through the indices, which neighbours read together. Many, as in that of
 * sampling an image: a block per line adds whole numbers in shared memory, which atomics do exactly; floats become multiples
 * of 2⁻⁶⁰ times the line's largest and the number of updates, finer than float32 holds. Lines with infinities are looked
 * through.
 */
export const scatterAddAlongAxis: CudaLowering<'scatterAddAlongAxis'> = (node) => {
  const { inputs, shape, dtype, attributes } = node;
  if (sizeOf(shape) === 0) return nothing;
  const { size: count, inner } = aroundAxis(inputs[1]!.shape, attributes.axis);
  const byBlocks = inner === 1 && count > fewUpdates && dtype !== 'bool';
  return { launches: [byBlocks ? inBlocks(node, count) : byElements(node, count, inner)], temporaries: [] };
};

function parametersOf({ inputs: [indices, updates], dtype }: Node): Parameter[] {
  return [
    reads(0, cTypes[indices!.dtype], 'indices'),
    reads(1, cTypes[updates!.dtype], 'updates'),
    writes('out', cTypes[dtype], 'out'),
    failureParameter,
  ];
}

function byElements(node: Node, count: number, inner: number): PlannedLaunch {
  const { inputs, shape, dtype } = node;
  const { size } = node.attributes;
  const updates = inputs[1]!;
  const total = sizeOf(shape);
  const index = indexType(total, sizeOf(updates.shape));
  const { type, add, store } = summation(dtype);
  const body = `
${eachOf(total)}
const ${index} row = i / ${integer(inner)}, first = row / ${size} * ${integer(count * inner)} + i % ${integer(inner)};
const int place = (int)(row % ${size});
${type} sum = 0;
#pragma unroll 4
for (int j = 0; j < ${count}; j++) {
  const ${index} at = first + (${index})j * ${integer(inner)};
  const int64 chosen = indices[at];
  if (place == 0) index_fits(chosen, ${size}, failure);
  if (chosen == place) sum = ${add('sum', summation(updates.dtype).load('updates[at]'))};
}
out[i] = ${store('sum')};`;
  return launch({
    name: 'scatter_add_along_axis',
    helpers: [failureFunctions],
    parameters: parametersOf(node),
    body,
    ...spread(total),
  });
}

function inBlocks(node: Node, count: number): PlannedLaunch {
  const { shape, dtype } = node;
  const { size } = node.attributes;
  const together = Math.min(tile, size);
  const tiles = Math.ceil(size / together);
  const threads = Math.min(256, 32 * Math.ceil(Math.max(count, together) / 32));
  const floats = isFloating(dtype);
  const value = (place: string) =>
    floats ? `to_float(updates[first + ${place}])` : `(int64)updates[first + ${place}]`;
  const bits = Math.ceil(Math.log2(count + 1));
  const store = floats
    ? `from_float<${cTypes[dtype]}>((float)((double)(int64)sums[i] * inverse))`
    : `(${cTypes[dtype]})sums[i]`;
  const largest = `
__shared__ float mosts[${threads / 32}];
const float infinite = __uint_as_float(0x7f800000u);
float most = 0.0f;
for (int j = threadIdx.x; j < ${count}; j += ${threads}) {
  const float own = fabsf(${value('j')});
  most = own < infinite ? fmaxf(most, own) : infinite;
}
for (int lane = 16; lane > 0; lane >>= 1) most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, lane));
if ((threadIdx.x & 31) == 0) mosts[threadIdx.x >> 5] = most;
__syncthreads();
for (int warp = 0; warp < ${threads / 32}; warp++) most = fmaxf(most, mosts[warp]);
// The sum of all is below 2 to the power of 62.
const int shift = ${61 - bits} - (int)((__float_as_uint(most) >> 23) - 126);
const double scale = __longlong_as_double((int64)(1023 + shift) << 52), inverse = __longlong_as_double((int64)(1023 - shift) << 52);
if (most == infinite) {
  for (int i = threadIdx.x; i < length; i += ${threads}) {
    float sum = 0.0f;
    for (int j = 0; j < ${count}; j++) if (indices[first + j] == begin + i) sum += ${value('j')};
    out[(int64)line * ${size} + begin + i] = from_float<${cTypes[dtype]}>(sum);
  }
  return;
}`;
  const body = `
__shared__ unsigned long long sums[${together}];
const int line = blockIdx.x / ${tiles}, begin = blockIdx.x % ${tiles} * ${together}, length = min(${together}, ${size} - begin);
const int64 first = (int64)line * ${count};
for (int i = threadIdx.x; i < length; i += ${threads}) sums[i] = 0;
if (begin == 0) for (int j = threadIdx.x; j < ${count}; j += ${threads}) index_fits(indices[first + j], ${size}, failure);
${floats ? largest : '__syncthreads();'}
for (int j = threadIdx.x; j < ${count}; j += ${threads}) {
  const int64 place = (int64)indices[first + j] - begin;
  if (place >= 0 && place < length) atomicAdd(&sums[place], (unsigned long long)(int64)(${floats ? `(double)${value('j')} * scale` : value('j')}));
}
__syncthreads();
for (int i = threadIdx.x; i < length; i += ${threads}) out[(int64)line * ${size} + begin + i] = ${store};`;
  return launch({
    name: 'scatter_add_lines',
    helpers: [failureFunctions],
    parameters: parametersOf(node),
    body,
    blocks: (sizeOf(shape) / size) * tiles,
    threads,
  });
}
