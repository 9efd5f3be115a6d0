import { guarded } from '../launch-text.js';
import type { AttentionProblem } from './problem.js';

/** Elements by which rows in shared memory are longer than they need be, so that eight rows lie in different banks. */
export const rowPadding = 8;

/**
 * Products of rows held as fragments with tiles in shared memory. `width` is a multiple of 16, `rows` those of a tile;
 * `strips` are the groups of 16 rows that a warp holds.
 */
export const fragmentFunctions = guarded(
  'FRAGMENTS',
  `
// Rows of a matrix [count, own_width] in memory, stride elements apart, as left factors; zeros beyond its ends.
template <int strips, int width, int own_width, int stride, class T>
__device__ __forceinline__ void load_fragments(uint32 (&a)[strips][width / 16][4], const T* from, int first, int count) {
  const int lane = threadIdx.x & 31;
  #pragma unroll
  for (int strip = 0; strip < strips; strip++) {
    #pragma unroll
    for (int k = 0; k < width / 16; k++) {
      #pragma unroll
      for (int part = 0; part < 4; part++) {
        const int row = first + strip * 16 + (lane >> 2) + (part & 1) * 8, column = k * 16 + (part >> 1) * 8;
        a[strip][k][part] = row < count && column < own_width
          ? *(const uint32*)(from + (int64)row * stride + column + (lane & 3) * 2) : 0u;
      }
    }
  }
}
// Begins to copy rows [first, first + rows) of a matrix [count, own_width] to shared memory; zeros beyond its ends.
template <int threads, int rows, int width, int own_width, int stride, class T>
__device__ __forceinline__ void copy_rows(T* to, const T* from, int first, int count) {
  constexpr int chunks = width / 8;
  #pragma unroll
  for (int each = 0; each < (rows * chunks + threads - 1) / threads; each++) {
    const int place = each * threads + threadIdx.x, row = place / chunks, column = place % chunks * 8;
    if (rows * chunks % threads != 0 && place >= rows * chunks) break;
    const bool there = first + row < count && (width == own_width || column < own_width);
    copy_async(to + row * (width + ${rowPadding}) + column, there ? from + (int64)(first + row) * stride + column : from, there);
  }
}
// s [16 strips, rows] += a [16 strips, width] times the rows of a tile.
template <int strips, int rows, int width, class T>
__device__ __forceinline__ void multiply_with_rows(float (&s)[strips][rows / 8][4], const uint32 (&a)[strips][width / 16][4], const T* tile) {
  const int lane = threadIdx.x & 31;
  const T* own = tile + ((lane & 7) + (lane >> 4) * 8) * (width + ${rowPadding}) + (lane >> 3 & 1) * 8;
  #pragma unroll
  for (int k = 0; k < width / 16; k++) {
    #pragma unroll
    for (int n = 0; n < rows / 16; n++) {
      uint32 b[4];
      ldmatrix_x4(b, own + n * 16 * (width + ${rowPadding}) + k * 16);
      const uint32 low[2] = { b[0], b[1] }, high[2] = { b[2], b[3] };
      #pragma unroll
      for (int strip = 0; strip < strips; strip++) {
        multiply_fragments(tile, s[strip][2 * n], a[strip][k], low);
        multiply_fragments(tile, s[strip][2 * n + 1], a[strip][k], high);
      }
    }
  }
}
// The same of rows that are in shared memory too.
template <int strips, int rows, int width, class T>
__device__ __forceinline__ void multiply_tiles(float (&s)[strips][rows / 8][4], const T* left, const T* tile) {
  const int lane = threadIdx.x & 31;
  const T* mine = left + ((lane & 7) + (lane >> 3 & 1) * 8) * (width + ${rowPadding}) + (lane >> 4) * 8;
  const T* own = tile + ((lane & 7) + (lane >> 4) * 8) * (width + ${rowPadding}) + (lane >> 3 & 1) * 8;
  #pragma unroll
  for (int k = 0; k < width / 16; k++) {
    uint32 a[strips][4];
    #pragma unroll
    for (int strip = 0; strip < strips; strip++) ldmatrix_x4(a[strip], mine + strip * 16 * (width + ${rowPadding}) + k * 16);
    #pragma unroll
    for (int n = 0; n < rows / 16; n++) {
      uint32 b[4];
      ldmatrix_x4(b, own + n * 16 * (width + ${rowPadding}) + k * 16);
      const uint32 low[2] = { b[0], b[1] }, high[2] = { b[2], b[3] };
      #pragma unroll
      for (int strip = 0; strip < strips; strip++) {
        multiply_fragments(tile, s[strip][2 * n], a[strip], low);
        multiply_fragments(tile, s[strip][2 * n + 1], a[strip], high);
      }
    }
  }
}
// o [16 strips, width] += p [16 strips, rows], rounded, times a tile.
template <int strips, int rows, int width, class T>
__device__ __forceinline__ void add_weighted_rows(float (&o)[strips][width / 8][4], const float (&p)[strips][rows / 8][4], const T* tile) {
  const int lane = threadIdx.x & 31;
  const T* own = tile + ((lane & 7) + (lane >> 3 & 1) * 8) * (width + ${rowPadding}) + (lane >> 4) * 8;
  #pragma unroll
  for (int k = 0; k < rows / 16; k++) {
    uint32 a[strips][4];
    #pragma unroll
    for (int strip = 0; strip < strips; strip++)
      #pragma unroll
      for (int part = 0; part < 4; part++)
        a[strip][part] = pack(tile, p[strip][2 * k + (part >> 1)][(part & 1) * 2], p[strip][2 * k + (part >> 1)][(part & 1) * 2 + 1]);
    #pragma unroll
    for (int n = 0; n < width / 16; n++) {
      uint32 b[4];
      ldmatrix_x4_trans(b, own + k * 16 * (width + ${rowPadding}) + n * 16);
      const uint32 low[2] = { b[0], b[1] }, high[2] = { b[2], b[3] };
      #pragma unroll
      for (int strip = 0; strip < strips; strip++) {
        multiply_fragments(tile, o[strip][2 * n], a[strip], low);
        multiply_fragments(tile, o[strip][2 * n + 1], a[strip], high);
      }
    }
  }
}
// Stores sums [16, width] as rows of a matrix [count, own_width], each multiplied with its factor.
template <int width, int own_width, int stride, class T>
__device__ __forceinline__ void store_rows(T* to, const float (&o)[width / 8][4], float upper, float lower, int first, int count) {
  const int lane = threadIdx.x & 31, row = first + (lane >> 2);
  #pragma unroll
  for (int n = 0; n < width / 8; n++) {
    if (n * 8 >= own_width) break;
    const int column = n * 8 + (lane & 3) * 2;
    if (row < count) *(uint32*)(to + (int64)row * stride + column) = pack(to, o[n][0] * upper, o[n][1] * upper);
    if (row + 8 < count) *(uint32*)(to + (int64)(row + 8) * stride + column) = pack(to, o[n][2] * lower, o[n][3] * lower);
  }
}`,
);

/** The width that a kernel computes with. Undefined where tensor cores do not fit: widths are multiples of 8 up to 256. */
export function paddedWidth(width: number): number | undefined {
  return width % 8 === 0 ? [16, 32, 64, 80, 96, 128, 192, 256].find((each) => width <= each) : undefined;
}

/** Whether tensor cores compute an attention: 16-bit storage, a width that pads well, rows at 16 bytes. */
export function fragmentsFit({ dtype, width, layouts = {} }: AttentionProblem): boolean {
  const aligned = Object.values(layouts).every((layout) =>
    [layout.offset, layout.batch, layout.head, layout.row].every((each) => each % 8 === 0),
  );
  return dtype !== 'float32' && aligned && paddedWidth(width) !== undefined;
}
