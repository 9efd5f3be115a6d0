import { byteSize } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { loadEight } from './eights.js';
import { integer, launch, warpSum } from './launch-text.js';
import type { PlannedLaunch } from './lowered.js';
import { batchOffset, type Matrices, type Product, productEpilogue, productParameters, strided } from './product.js';

/** Rows of the left factor that a thread keeps beside each other. */
const mostRows = 8;

/** Elements that a thread reads at once. */
const together = 8;

function isAligned({ dtype, offset, rowStride, batchStrides }: Matrices): boolean {
  return [offset, rowStride, ...batchStrides].every((each) => (each * byteSize(dtype)) % 16 === 0);
}

/** Whether a product is one of few rows with a matrix [n, k], such as a decoder's layers at one token. */
export function suitsVectors({ m, k, a, b }: Product): boolean {
  return m <= mostRows && b.transpose && !a.transpose && k >= 64 && k % together === 0 && isAligned(a) && isAligned(b);
}

/**
 * A warp per column of the result, which is a row of the right factor: 16 bytes a thread at a time, each used for all rows.
 * Reads the right factor once, at the speed of memory. Columns are as many a block as warps; there are rarely too few.
 */
export function vectorProduct(product: Product): PlannedLaunch {
  const { m, n, k, batch, a, b, out } = product;
  const warps = 4;
  const first = (each: Omit<Matrices, 'transpose'>) =>
    `${batchOffset(batch, each.batchStrides)} + ${integer(each.offset)}`;
  const count = sizeOf(batch);
  const body = `
const int batch = blockIdx.y + blockIdx.z * 32768;
const int lane = threadIdx.x & 31, column = blockIdx.x * ${warps} + (threadIdx.x >> 5);
if (batch >= ${count} || column >= ${n}) return;
const ${cTypes[a.dtype]}* left = a + (${first(a)});
const ${cTypes[b.dtype]}* right = b + (${first(b)} + ${strided('column', b.rowStride)});
const int64 firstOut = ${first(out)};
float sums[${m}] = {};
#pragma unroll 4
for (int depth = lane * ${together}; depth < ${k}; depth += ${32 * together}) {
  float weights[8], values[8];
  load_eight(weights, right + depth);
  #pragma unroll
  for (int row = 0; row < ${m}; row++) {
    load_eight(values, left + ${strided('row', a.rowStride)} + depth);
    #pragma unroll
    for (int j = 0; j < 8; j++) sums[row] += values[j] * weights[j];
  }
}
#pragma unroll
for (int row = 0; row < ${m}; row++) {
  const float sum = sum_of_warp(sums[row]);
  if (lane == 0) { ${productEpilogue(product, `firstOut + ${strided('row', out.rowStride)} + column`)} }
}`;
  return launch({
    name: 'matvec',
    helpers: [loadEight, warpSum],
    parameters: productParameters(product),
    body,
    blocks: [Math.ceil(n / warps), Math.min(count, 32768), Math.ceil(count / 32768)],
    threads: warps * 32,
  });
}
