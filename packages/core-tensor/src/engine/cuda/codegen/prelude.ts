/**
 * What every kernel may use: names of the element types, conversions to and from float, and sums over threads.
 *
 * No header is included: the run-time compiler has none, and finding a toolkit's would be one more thing to install. The
 * 16-bit floats are therefore structures of their own bits. Where `__CUDA_ARCH__` is not defined (the kernels compiled for a
 * processor, in tests) conversions are written out.
 */
export const preludeSource = `
typedef long long int64;
typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#endif

struct bfloat16 { uint16 bits; };
struct float16 { uint16 bits; };

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bfloat16 x) { return __uint_as_float((uint32)x.bits << 16); }
__device__ __forceinline__ float to_float(float16 x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#else
  uint32 sign = (uint32)(x.bits & 0x8000) << 16, exponent = (x.bits >> 10) & 31, mantissa = x.bits & 1023;
  if (exponent == 31) return __uint_as_float(sign | 0x7f800000 | (mantissa << 13));
  float magnitude = exponent ? __uint_as_float(((exponent + 112) << 23) | (mantissa << 13)) : mantissa * 5.9604644775390625e-8f;
  return sign ? -magnitude : magnitude;
#endif
}

template <class T> __device__ __forceinline__ T from_float(float x);
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }
template <> __device__ __forceinline__ bfloat16 from_float<bfloat16>(float x) {
  uint32 bits = __float_as_uint(x);
  bfloat16 y;
  // Rounded to nearest, ties to even; a NaN stays one.
  y.bits = (bits & 0x7fffffff) > 0x7f800000 ? (uint16)((bits >> 16) | 64) : (uint16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  return y;
}
template <> __device__ __forceinline__ float16 from_float<float16>(float x) {
  float16 y;
#ifdef __CUDA_ARCH__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
  uint32 bits = __float_as_uint(x), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) { y.bits = (uint16)(sign | 0x7e00); return y; }
  if (magnitude >= 0x477ff000) { y.bits = (uint16)(sign | 0x7c00); return y; }
  if (magnitude < 0x38800000) {
    // Adding 0.5 leaves the subnormal's bits, rounded, at the end of the sum.
    y.bits = (uint16)(sign | (__float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000));
    return y;
  }
  y.bits = (uint16)(sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13));
#endif
  return y;
}

__device__ __forceinline__ uint32 unsigned_of(int x) { return (uint32)x; }
__device__ __forceinline__ unsigned long long unsigned_of(int64 x) { return (unsigned long long)x; }
__device__ __forceinline__ int wrapped(uint32 x) { return (int)x; }
__device__ __forceinline__ int64 wrapped(unsigned long long x) { return (int64)x; }

// NaN wins, as in PyTorch.
__device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ float smaller(float a, float b) { return a < b || a != a ? a : b; }
__device__ __forceinline__ int larger(int a, int b) { return a > b ? a : b; }
__device__ __forceinline__ int smaller(int a, int b) { return a < b ? a : b; }
__device__ __forceinline__ int64 larger(int64 a, int64 b) { return a > b ? a : b; }
__device__ __forceinline__ int64 smaller(int64 a, int64 b) { return a < b ? a : b; }
__device__ __forceinline__ float sign_of(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x; }

// Casts clamp to the range of the target; a NaN becomes 0.
__device__ __forceinline__ int truncated_to_int32(float x) {
  return x != x ? 0 : x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : (int)x;
}
__device__ __forceinline__ int64 truncated_to_int64(float x) {
  const int64 most = 9223372036854775807ll;
  return x != x ? 0 : x >= 9223372036854775808.0f ? most : x <= -9223372036854775808.0f ? -most - 1 : (int64)x;
}
__device__ __forceinline__ int truncated_to_uint8(float x) { return x != x ? 0 : (int)fminf(fmaxf(x, 0.0f), 255.0f); }

// The failure word: a code, then what it is about. The first failure stays.
__device__ __forceinline__ void fail(int* failure, int code, int value, int size) {
  if (atomicCAS(failure, 0, code) == 0) {
    failure[1] = value;
    failure[2] = size;
  }
}
template <class T> __device__ __forceinline__ T checked_index(T index, int size, int* failure) {
  if (index >= 0 && index < size) return index;
  fail(failure, 1, (int)index, size);
  return 0;
}
template <class T> __device__ __forceinline__ T quotient(T a, T b, int* failure) {
  if (b == 0) {
    fail(failure, 2, 0, 0);
    return 0;
  }
  return b == -1 ? wrapped(0 - unsigned_of(a)) : a / b;
}
template <class T> __device__ __forceinline__ T integer_power(T base, T exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  T power = 1;
  for (; exponent; exponent >>= 1, base = wrapped(unsigned_of(base) * unsigned_of(base)))
    if (exponent & 1) power = wrapped(unsigned_of(power) * unsigned_of(base));
  return power;
}

// Word \`index\` of Philox4x32-10 (Salmon et al. 2011) as a float in [0, 1).
__device__ __forceinline__ float philox_uniform(uint32 key0, uint32 key1, uint32 stream, uint32 index) {
  uint32 c0 = index >> 2, c1 = 0, c2 = stream, c3 = 0;
  for (int round = 0; round < 10; round++) {
    const unsigned long long p0 = (unsigned long long)c0 * 0xd2511f53u, p1 = (unsigned long long)c2 * 0xcd9e8d57u;
    c0 = (uint32)(p1 >> 32) ^ c1 ^ key0;
    c1 = (uint32)p1;
    c2 = (uint32)(p0 >> 32) ^ c3 ^ key1;
    c3 = (uint32)p0;
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  const uint32 word = (index & 2) ? ((index & 1) ? c3 : c2) : ((index & 1) ? c1 : c0);
  return (word >> 8) * 5.9604644775390625e-8f;
}

// Sums and maxima over groups of neighbouring threads, at most a block; every thread gets the result, always in one order.
struct Sum {
  template <class T> static __device__ __forceinline__ T of(T a, T b) { return a + b; }
};
struct Maximum {
  template <class T> static __device__ __forceinline__ T of(T a, T b) { return larger(a, b); }
};
template <class Operation, int THREADS, class T> __device__ __forceinline__ T over_group(T x) {
  for (int lane = (THREADS < 32 ? THREADS : 32) >> 1; lane > 0; lane >>= 1)
    x = Operation::of(x, __shfl_xor_sync(0xffffffffu, x, lane));
  return x;
}
// Threads are those of one group, numbered by \`thread\`; groups of up to 32 may share a warp.
template <class Operation, int THREADS, class T> __device__ __forceinline__ T over_threads(T x, int thread) {
  x = over_group<Operation, THREADS>(x);
  if (THREADS <= 32) return x;
  __shared__ T partial[32];
  __syncthreads();
  if ((thread & 31) == 0) partial[thread >> 5] = x;
  __syncthreads();
  return over_group<Operation, THREADS / 32>(partial[thread & (THREADS / 32 - 1)]);
}
`;
