// Matrix instructions, with the fragments of the PTX manual, and asynchronous copies. The prelude's functions call these
// where no card's compiler is at work.
#pragma once

namespace software {

inline float fromBfloat16(unsigned bits) { return __uint_as_float((bits & 0xffff) << 16); }
inline float fromFloat16(unsigned bits) {
  unsigned sign = (bits & 0x8000) << 16, exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  if (exponent == 31) return __uint_as_float(sign | 0x7f800000 | (mantissa << 13));
  float magnitude = exponent ? __uint_as_float(((exponent + 112) << 23) | (mantissa << 13)) : mantissa * 5.9604644775390625e-8f;
  return sign ? -magnitude : magnitude;
}
/** The bits that a card does not look at. */
inline float fromTf32(unsigned bits) { return __uint_as_float(bits & 0xffffe000); }

struct Product {
  const unsigned *a, *b;
  float* d;
};

/** D (16 × 8) += A (16 × DEPTH) · B (DEPTH × 8), of 16-bit elements. */
template <int DEPTH, float (*convert)(unsigned)> void completeProduct16(void** lanes, unsigned) {
  float a[16][DEPTH], b[DEPTH][8];
  for (int lane = 0; lane < 32; lane++) {
    const Product* mine = (Product*)lanes[lane];
    int group = lane >> 2, pair = (lane & 3) * 2;
    for (int half = 0; half < 2; half++)
      for (int deep = 0; deep < DEPTH / 8; deep++) {
        for (int low = 0; low < 2; low++) {
          a[group + 8 * half][pair + 8 * deep + low] = convert(mine->a[half + 2 * deep] >> (16 * low));
          b[pair + 8 * deep + low][group] = convert(mine->b[deep] >> (16 * low));
        }
      }
  }
  for (int lane = 0; lane < 32; lane++) {
    float* d = ((Product*)lanes[lane])->d;
    for (int element = 0; element < 4; element++) {
      int row = (lane >> 2) + 8 * (element >> 1), column = (lane & 3) * 2 + (element & 1);
      float sum = d[element];
      for (int k = 0; k < DEPTH; k++) sum = fmaf(a[row][k], b[k][column], sum);
      d[element] = sum;
    }
  }
}

/** D (16 × 8) += A (16 × 8) · B (8 × 8), of floats rounded to tf32. */
inline void completeProductTf32(void** lanes, unsigned) {
  float a[16][8], b[8][8];
  for (int lane = 0; lane < 32; lane++) {
    const Product* mine = (Product*)lanes[lane];
    int group = lane >> 2, place = lane & 3;
    for (int deep = 0; deep < 2; deep++) {
      for (int half = 0; half < 2; half++) a[group + 8 * half][place + 4 * deep] = fromTf32(mine->a[half + 2 * deep]);
      b[place + 4 * deep][group] = fromTf32(mine->b[deep]);
    }
  }
  for (int lane = 0; lane < 32; lane++) {
    float* d = ((Product*)lanes[lane])->d;
    for (int element = 0; element < 4; element++) {
      int row = (lane >> 2) + 8 * (element >> 1), column = (lane & 3) * 2 + (element & 1);
      float sum = d[element];
      for (int k = 0; k < 8; k++) sum = fmaf(a[row][k], b[k][column], sum);
      d[element] = sum;
    }
  }
}

struct Load {
  unsigned* result;
  const unsigned short* row;
  int matrices;
  bool transposed;
};

inline void completeLoad(void** lanes, unsigned) {
  for (int lane = 0; lane < 32; lane++) {
    const Load* mine = (Load*)lanes[lane];
    for (int matrix = 0; matrix < mine->matrices; matrix++) {
      unsigned halves[2];
      for (int low = 0; low < 2; low++) {
        int row = mine->transposed ? (lane & 3) * 2 + low : lane >> 2;
        int column = mine->transposed ? lane >> 2 : (lane & 3) * 2 + low;
        halves[low] = ((Load*)lanes[8 * matrix + row])->row[column];
      }
      mine->result[matrix] = halves[0] | halves[1] << 16;
    }
  }
}

inline void load(unsigned* result, const void* row, int matrices, bool transposed) {
  if ((unsigned long)row % 16) softwareRuntime->fail(716, "misaligned row given to ldmatrix", "", 0);
  Load mine = {result, (const unsigned short*)row, matrices, transposed};
  softwareRuntime->warp(0xffffffffu, "ldmatrix", &mine, completeLoad);
}

inline void product(float* d, const unsigned* a, const unsigned* b, const char* operation, WarpCompletion complete) {
  Product mine = {a, b, d};
  softwareRuntime->warp(0xffffffffu, operation, &mine, complete);
}

}  // namespace software

static inline void software_mma_m16n8k16_bf16(float* d, const unsigned* a, const unsigned* b) {
  software::product(d, a, b, "mma.m16n8k16.bf16", software::completeProduct16<16, software::fromBfloat16>);
}
static inline void software_mma_m16n8k16_f16(float* d, const unsigned* a, const unsigned* b) {
  software::product(d, a, b, "mma.m16n8k16.f16", software::completeProduct16<16, software::fromFloat16>);
}
static inline void software_mma_m16n8k8_bf16(float* d, const unsigned* a, const unsigned* b) {
  software::product(d, a, b, "mma.m16n8k8.bf16", software::completeProduct16<8, software::fromBfloat16>);
}
static inline void software_mma_m16n8k8_f16(float* d, const unsigned* a, const unsigned* b) {
  software::product(d, a, b, "mma.m16n8k8.f16", software::completeProduct16<8, software::fromFloat16>);
}
static inline void software_mma_m16n8k8_tf32(float* d, const unsigned* a, const unsigned* b) {
  software::product(d, a, b, "mma.m16n8k8.tf32", software::completeProductTf32);
}
static inline void software_ldmatrix(unsigned* result, const void* row, int matrices) {
  software::load(result, row, matrices, false);
}
static inline void software_ldmatrix_trans(unsigned* result, const void* row, int matrices) {
  software::load(result, row, matrices, true);
}
/** Copies `copied` bytes and fills up to `bytes` (4, 8 or 16) with zeros, when the group is waited for. */
static inline void software_cp_async(void* shared, const void* global, unsigned bytes, unsigned copied) {
  softwareRuntime->copyLater(shared, global, bytes, copied);
}
static inline void software_cp_async_commit() { softwareRuntime->commitCopies(); }
static inline void software_cp_async_wait(unsigned groups_left) { softwareRuntime->waitForCopies(groups_left); }
