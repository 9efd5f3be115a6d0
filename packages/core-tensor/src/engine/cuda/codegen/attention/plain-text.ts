import { guarded } from '../launch-text.js';
import type { AttentionProblem } from './problem.js';

/** Rows that a block holds, eight threads each. */
export const plainRows = 32;

/** Rows of a tile that streams through shared memory. */
export const plainTile = 32;

/** Threads of a block. */
export const plainThreads = plainRows * 8;

/** Floats from one row in shared memory to the next: rows that eight threads read together lie in different banks. */
export function plainPitch({ width }: AttentionProblem): number {
  return width + 1;
}

/** Columns of a row that each of its threads adds up. */
export function plainColumns({ width }: AttentionProblem): number {
  return Math.ceil(width / 8);
}

/** `fetch_rows`: rows of a matrix [count, width], `stride` elements apart, as floats in shared memory, zeros beyond its end. */
export const fetchRows = guarded(
  'FETCH_ROWS',
  `
template <int rows, int width, int stride, class T>
__device__ __forceinline__ void fetch_rows(float* to, const T* from, int first, int count) {
  for (int place = threadIdx.x; place < rows * width; place += ${plainThreads}) {
    const int row = place / width, column = place % width;
    to[row * (width + 1) + column] = first + row < count ? to_float(from[(int64)(first + row) * stride + column]) : 0.0f;
  }
}
// Products of a row with the rows of a tile: those with rows part + 8 i.
template <int width> __device__ __forceinline__ void row_products(float (&products)[${plainTile / 8}], const float* row, const float* tile, int part) {
  #pragma unroll
  for (int i = 0; i < ${plainTile / 8}; i++) products[i] = 0.0f;
  #pragma unroll 4
  for (int column = 0; column < width; column++) {
    const float factor = row[column];
    #pragma unroll
    for (int i = 0; i < ${plainTile / 8}; i++) products[i] += factor * tile[(part + 8 * i) * (width + 1) + column];
  }
}
// sums, of columns part + 8 i, += the rows of a tile, weighted.
template <int width> __device__ __forceinline__ void add_rows(float (&sums)[(width + 7) / 8], const float* weights, const float* tile, int part) {
  for (int row = 0; row < ${plainTile}; row++) {
    const float weight = weights[row];
    #pragma unroll
    for (int i = 0; i < (width + 7) / 8; i++)
      if (width % 8 == 0 || part + 8 * i < width) sums[i] += weight * tile[row * (width + 1) + part + 8 * i];
  }
}
__device__ __forceinline__ float max_of_eight(float x) {
  for (int lane = 4; lane > 0; lane >>= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lane));
  return x;
}
__device__ __forceinline__ float sum_of_eight(float x) {
  for (int lane = 4; lane > 0; lane >>= 1) x += __shfl_xor_sync(0xffffffffu, x, lane);
  return x;
}`,
);
