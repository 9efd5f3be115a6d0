import { fragmentFunctions, rowPadding } from './attention/fragments.js';
import { cTypes } from './c-types.js';
import { launch } from './launch-text.js';
import type { PlannedLaunch } from './lowered.js';
import { tensorCoreFunctions } from './tensor-core.js';
import type { TiledProduct } from './tiled-product.js';

/** Terms of a tile. */
const depth = 32;

/** Sums of a warp: two strips of 16 rows, 32 or 64 columns. */
const warpRows = 32;

/**
 * {@link TiledProduct} on tensor cores, its factors rounded to 16 bits: tiles of 128 × 128 (or 64), 32 terms at a time. The
 * next tiles are fetched, element by element as the expressions say, while the present ones are multiplied; that, not the
 * tensor cores, is what bounds it, at several times the speed of the float units.
 */
export function tensorCoreProduct(product: TiledProduct, dtype: 'float16' | 'bfloat16'): PlannedLaunch {
  const { name, m, n, k, batch, parameters, helpers = [], prepare = '', store } = product;
  const { aAlong = 'depth', bAlong = 'column' } = product;
  const [tileM, tileN] = [m > 64 ? 128 : 64, n > 64 ? 128 : 64];
  const warpColumns = tileN / 2;
  const threads = (tileM / warpRows) * 2 * 32;
  const pitch = depth + rowPadding;
  const pairs = depth / 2;
  const T = cTypes[dtype];
  const tilesM = Math.ceil(m / tileM);
  const [fetchesA, fetchesB] = [(tileM * pairs) / threads, (tileN * pairs) / threads];
  const placesA =
    aAlong === 'depth' ? [`place / ${pairs}`, `place % ${pairs}`] : [`place % ${tileM}`, `place / ${tileM}`];
  const placesB =
    bAlong === 'depth' ? [`place / ${pairs}`, `place % ${pairs}`] : [`place % ${tileN}`, `place / ${tileN}`];
  const factor = (axis: 'row' | 'column', size: number, first: string, [along, deep]: string[], element: string) => `
    const int place = each * ${threads} + threadIdx.x, ${axis} = ${first} + ${along};
    float values[2] = { 0.0f, 0.0f };
    #pragma unroll
    for (int half = 0; half < 2; half++) {
      const int depth = tile + (${deep}) * 2 + half;
      if (${axis} < ${size} && depth < ${k}) values[half] = ${element};
    }`;
  const fetch = `
  #pragma unroll
  for (int each = 0; each < ${fetchesA}; each++) {${factor('row', m, 'firstRow', placesA, product.a)}
    nextA[each] = pack(tileA, values[0], values[1]);
  }
  #pragma unroll
  for (int each = 0; each < ${fetchesB}; each++) {${factor('column', n, 'firstColumn', placesB, product.b)}
    nextB[each] = pack(tileB, values[0], values[1]);
  }`;
  const body = `
__shared__ __align__(16) ${T} tileA[${tileM * pitch}];
__shared__ __align__(16) ${T} tileB[${tileN * pitch}];
const int batch = blockIdx.y + blockIdx.z * 32768;
if (batch >= ${batch}) return;
const int firstRow = blockIdx.x % ${tilesM} * ${tileM}, firstColumn = blockIdx.x / ${tilesM} * ${tileN};
const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
const int warpRow = (warp >> 1) * ${warpRows}, warpColumn = (warp & 1) * ${warpColumns};
${prepare}
float sums[2][${warpColumns / 8}][4] = {};
uint32 nextA[${fetchesA}], nextB[${fetchesB}];
int tile = 0;
${fetch}
while (tile < ${k}) {
  #pragma unroll
  for (int each = 0; each < ${fetchesA}; each++) {
    const int place = each * ${threads} + threadIdx.x;
    *(uint32*)(tileA + (${placesA[0]}) * ${pitch} + (${placesA[1]}) * 2) = nextA[each];
  }
  #pragma unroll
  for (int each = 0; each < ${fetchesB}; each++) {
    const int place = each * ${threads} + threadIdx.x;
    *(uint32*)(tileB + (${placesB[0]}) * ${pitch} + (${placesB[1]}) * 2) = nextB[each];
  }
  __syncthreads();
  tile += ${depth};
  if (tile < ${k}) {${fetch.replaceAll('\n', '\n  ')}
  }
  multiply_tiles<2, ${warpColumns}, ${depth}>(sums, tileA + warpRow * ${pitch}, tileB + warpColumn * ${pitch});
  __syncthreads();
}
#pragma unroll
for (int strip = 0; strip < 2; strip++) {
  #pragma unroll
  for (int each = 0; each < ${warpColumns / 8}; each++) {
    #pragma unroll
    for (int part = 0; part < 4; part++) {
      const int row = firstRow + warpRow + strip * 16 + (lane >> 2) + (part >> 1) * 8;
      const int column = firstColumn + warpColumn + each * 8 + (lane & 3) * 2 + (part & 1);
      const float sum = sums[strip][each][part];
      if (row < ${m} && column < ${n}) { ${store} }
    }
  }
}`;
  return launch({
    name,
    parameters,
    helpers: [tensorCoreFunctions, fragmentFunctions, ...helpers],
    body,
    blocks: [tilesM * Math.ceil(n / tileN), Math.min(batch, 32768), Math.ceil(batch / 32768)],
    threads,
  });
}

/** Whether a product is large enough for {@link tensorCoreProduct} to be worth its tiles. */
export function suitsTensorCores({ m, n, k }: Pick<TiledProduct, 'm' | 'n' | 'k'>): boolean {
  return m > 16 && n > 16 && k >= 32;
}
