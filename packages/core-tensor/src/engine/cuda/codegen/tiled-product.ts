import type { DType } from '../../../dtype.js';
import { launch, type Parameter } from './launch-text.js';
import type { PlannedLaunch } from './lowered.js';
import { suitsTensorCores, tensorCoreProduct } from './tensor-core-product.js';

/** A product of matrices whose elements any expression gives: of stored matrices, of windows of images, of packed codes. */
export interface TiledProduct {
  readonly name: string;
  /** Rows of the result. */
  readonly m: number;
  /** Columns of the result. */
  readonly n: number;
  /** Terms of each element. */
  readonly k: number;
  /** Products side by side; `batch` is which. */
  readonly batch: number;
  readonly parameters: readonly Parameter[];
  readonly helpers?: readonly string[];
  /** First statements of the kernel, with `batch`. */
  readonly prepare?: string;
  /** The left factor at `row` (0 … m − 1) and `depth` (0 … k − 1), a float. */
  readonly a: string;
  /** The right factor at `depth` and `column` (0 … n − 1), a float. */
  readonly b: string;
  /** The index along which neighbours of the left factor are neighbours in memory. Default: depth. */
  readonly aAlong?: 'row' | 'depth';
  /** The same of the right factor. Default: column. */
  readonly bAlong?: 'column' | 'depth';
  /** The 16-bit storage of both factors, if they have one: tensor cores may round to it. */
  readonly narrow?: 'float16' | 'bfloat16' | undefined;
  /** A statement that stores the float `sum` for `row` and `column`. */
  readonly store: string;
}

const depth = 16;

/** The 16-bit storage that two factors share, if they do. */
export function narrowStorage(a: DType, b: DType): TiledProduct['narrow'] {
  return a === b && (a === 'float16' || a === 'bfloat16') ? a : undefined;
}

/**
 * Factors of 16 bits on tensor cores; others in tiles of up to 64 × 64, 16 terms at a time in shared memory, 4 × 4 sums a
 * thread, everything in float. The next tiles are fetched while the present ones are multiplied.
 */
export function tiledProduct(product: TiledProduct): PlannedLaunch {
  if (product.narrow && suitsTensorCores(product)) return tensorCoreProduct(product, product.narrow);
  const { name, m, n, k, batch, parameters, helpers, prepare = '', store } = product;
  const { aAlong = 'depth', bAlong = 'column' } = product;
  const tileM = m > 32 ? 64 : m > 16 ? 32 : 16;
  const tileN = n > 32 ? 64 : 32;
  const threads = (tileM * tileN) / 16;
  const tilesM = Math.ceil(m / tileM);
  const [fetchesA, fetchesB] = [Math.ceil((tileM * depth) / threads), Math.ceil((tileN * depth) / threads)];
  const placesA =
    aAlong === 'depth' ? [`place / ${depth}`, `place % ${depth}`] : [`place % ${tileM}`, `place / ${tileM}`];
  const placesB =
    bAlong === 'depth' ? [`place % ${depth}`, `place / ${depth}`] : [`place / ${tileN}`, `place % ${tileN}`];
  const fetch = `
  #pragma unroll
  for (int each = 0; each < ${fetchesA}; each++) {
    const int place = each * ${threads} + threadIdx.x, row = firstRow + ${placesA[0]}, depth = tile + ${placesA[1]};
    nextA[each] = row < ${m} && depth < ${k} ? ${product.a} : 0.0f;
  }
  #pragma unroll
  for (int each = 0; each < ${fetchesB}; each++) {
    const int place = each * ${threads} + threadIdx.x, depth = tile + ${placesB[0]}, column = firstColumn + ${placesB[1]};
    nextB[each] = depth < ${k} && column < ${n} ? ${product.b} : 0.0f;
  }`;
  const body = `
__shared__ __align__(16) float tileA[${depth}][${tileM + 4}];
__shared__ __align__(16) float tileB[${depth}][${tileN + 4}];
const int batch = blockIdx.y + blockIdx.z * 32768;
if (batch >= ${batch}) return;
const int firstRow = blockIdx.x % ${tilesM} * ${tileM}, firstColumn = blockIdx.x / ${tilesM} * ${tileN};
const int ownRow = threadIdx.x / ${tileN / 4} * 4, ownColumn = threadIdx.x % ${tileN / 4} * 4;
${prepare}
float sums[4][4] = {};
float nextA[${fetchesA}], nextB[${fetchesB}];
int tile = 0;
${fetch}
while (tile < ${k}) {
  #pragma unroll
  for (int each = 0; each < ${fetchesA}; each++) {
    const int place = each * ${threads} + threadIdx.x;
    if (place < ${tileM * depth}) tileA[${placesA[1]}][${placesA[0]}] = nextA[each];
  }
  #pragma unroll
  for (int each = 0; each < ${fetchesB}; each++) {
    const int place = each * ${threads} + threadIdx.x;
    if (place < ${tileN * depth}) tileB[${placesB[0]}][${placesB[1]}] = nextB[each];
  }
  __syncthreads();
  tile += ${depth};
  if (tile < ${k}) {${fetch.replaceAll('\n', '\n  ')}
  }
  #pragma unroll
  for (int each = 0; each < ${depth}; each++) {
    float left[4], right[4];
    #pragma unroll
    for (int j = 0; j < 4; j++) left[j] = tileA[each][ownRow + j];
    #pragma unroll
    for (int j = 0; j < 4; j++) right[j] = tileB[each][ownColumn + j];
    #pragma unroll
    for (int i = 0; i < 4; i++)
      #pragma unroll
      for (int j = 0; j < 4; j++) sums[i][j] += left[i] * right[j];
  }
  __syncthreads();
}
#pragma unroll
for (int i = 0; i < 4; i++) {
  #pragma unroll
  for (int j = 0; j < 4; j++) {
    const int row = firstRow + ownRow + i, column = firstColumn + ownColumn + j;
    const float sum = sums[i][j];
    if (row < ${m} && column < ${n}) { ${store} }
  }
}`;
  return launch({
    name,
    parameters,
    ...(helpers && { helpers }),
    body,
    blocks: [tilesM * Math.ceil(n / tileN), Math.min(batch, 32768), Math.ceil(batch / 32768)],
    threads,
  });
}
