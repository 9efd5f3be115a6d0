// Functions of numbers: those of the C library under their CUDA names, and what CUDA adds to them.
#pragma once

extern "C" {
float expf(float);
double exp(double);
float exp2f(float);
double exp2(double);
float expm1f(float);
double expm1(double);
float logf(float);
double log(double);
float log2f(float);
double log2(double);
float log10f(float);
double log10(double);
float log1pf(float);
double log1p(double);
float sqrtf(float);
double sqrt(double);
float cbrtf(float);
double cbrt(double);
float sinf(float);
double sin(double);
float cosf(float);
double cos(double);
float tanf(float);
double tan(double);
float asinf(float);
double asin(double);
float acosf(float);
double acos(double);
float atanf(float);
double atan(double);
float sinhf(float);
double sinh(double);
float coshf(float);
double cosh(double);
float tanhf(float);
double tanh(double);
float asinhf(float);
double asinh(double);
float acoshf(float);
double acosh(double);
float atanhf(float);
double atanh(double);
float erff(float);
double erf(double);
float erfcf(float);
double erfc(double);
float floorf(float);
double floor(double);
float ceilf(float);
double ceil(double);
float truncf(float);
double trunc(double);
float roundf(float);
double round(double);
float rintf(float);
double rint(double);
float nearbyintf(float);
double nearbyint(double);
float fabsf(float);
double fabs(double);
float lgammaf(float);
double lgamma(double);
float tgammaf(float);
double tgamma(double);
float powf(float, float);
double pow(double, double);
float fmodf(float, float);
double fmod(double, double);
float fmaxf(float, float);
double fmax(double, double);
float fminf(float, float);
double fmin(double, double);
float atan2f(float, float);
double atan2(double, double);
float copysignf(float, float);
double copysign(double, double);
float hypotf(float, float);
double hypot(double, double);
float remainderf(float, float);
double remainder(double, double);
float fdimf(float, float);
double fdim(double, double);
float fmaf(float, float, float);
double fma(double, double, double);
float ldexpf(float, int);
double ldexp(double, int);
float scalbnf(float, int);
int ilogbf(float);
float modff(float, float*);
float frexpf(float, int*);
int abs(int) noexcept;
}

static inline float exp(float x) { return expf(x); }
static inline float exp2(float x) { return exp2f(x); }
static inline float expm1(float x) { return expm1f(x); }
static inline float log(float x) { return logf(x); }
static inline float log2(float x) { return log2f(x); }
static inline float log10(float x) { return log10f(x); }
static inline float log1p(float x) { return log1pf(x); }
static inline float sqrt(float x) { return sqrtf(x); }
static inline float cbrt(float x) { return cbrtf(x); }
static inline float sin(float x) { return sinf(x); }
static inline float cos(float x) { return cosf(x); }
static inline float tan(float x) { return tanf(x); }
static inline float asin(float x) { return asinf(x); }
static inline float acos(float x) { return acosf(x); }
static inline float atan(float x) { return atanf(x); }
static inline float sinh(float x) { return sinhf(x); }
static inline float cosh(float x) { return coshf(x); }
static inline float tanh(float x) { return tanhf(x); }
static inline float asinh(float x) { return asinhf(x); }
static inline float acosh(float x) { return acoshf(x); }
static inline float atanh(float x) { return atanhf(x); }
static inline float erf(float x) { return erff(x); }
static inline float erfc(float x) { return erfcf(x); }
static inline float floor(float x) { return floorf(x); }
static inline float ceil(float x) { return ceilf(x); }
static inline float trunc(float x) { return truncf(x); }
static inline float round(float x) { return roundf(x); }
static inline float rint(float x) { return rintf(x); }
static inline float nearbyint(float x) { return nearbyintf(x); }
static inline float fabs(float x) { return fabsf(x); }
static inline float lgamma(float x) { return lgammaf(x); }
static inline float tgamma(float x) { return tgammaf(x); }
static inline float pow(float x, float y) { return powf(x, y); }
static inline float fmod(float x, float y) { return fmodf(x, y); }
static inline float fmax(float x, float y) { return fmaxf(x, y); }
static inline float fmin(float x, float y) { return fminf(x, y); }
static inline float atan2(float x, float y) { return atan2f(x, y); }
static inline float copysign(float x, float y) { return copysignf(x, y); }
static inline float hypot(float x, float y) { return hypotf(x, y); }
static inline float remainder(float x, float y) { return remainderf(x, y); }
static inline float fdim(float x, float y) { return fdimf(x, y); }
static inline float fma(float x, float y, float z) { return fmaf(x, y, z); }
static inline float abs(float x) { return fabsf(x); }
static inline double abs(double x) { return fabs(x); }
static inline long long abs(long long x) { return x < 0 ? -x : x; }
static inline long long llabs(long long x) { return x < 0 ? -x : x; }
static inline int max(int x, int y) { return x > y ? x : y; }
static inline int min(int x, int y) { return x < y ? x : y; }
static inline unsigned max(unsigned x, unsigned y) { return x > y ? x : y; }
static inline unsigned min(unsigned x, unsigned y) { return x < y ? x : y; }
static inline long max(long x, long y) { return x > y ? x : y; }
static inline long min(long x, long y) { return x < y ? x : y; }
static inline unsigned long max(unsigned long x, unsigned long y) { return x > y ? x : y; }
static inline unsigned long min(unsigned long x, unsigned long y) { return x < y ? x : y; }
static inline long long max(long long x, long long y) { return x > y ? x : y; }
static inline long long min(long long x, long long y) { return x < y ? x : y; }
static inline unsigned long long max(unsigned long long x, unsigned long long y) { return x > y ? x : y; }
static inline unsigned long long min(unsigned long long x, unsigned long long y) { return x < y ? x : y; }
static inline float max(float x, float y) { return fmaxf(x, y); }
static inline float min(float x, float y) { return fminf(x, y); }
static inline double max(double x, double y) { return fmax(x, y); }
static inline double min(double x, double y) { return fmin(x, y); }

template <class T> static inline bool isnan(T x) { return __builtin_isnan(x); }
template <class T> static inline bool isinf(T x) { return __builtin_isinf(x); }
template <class T> static inline bool isfinite(T x) { return __builtin_isfinite(x); }
template <class T> static inline bool signbit(T x) { return __builtin_signbit(x); }

static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }
static inline float rsqrt(float x) { return rsqrtf(x); }
static inline float sinpif(float x) { return (float)sin(3.14159265358979323846 * x); }
static inline float cospif(float x) { return (float)cos(3.14159265358979323846 * x); }
static inline float normcdff(float x) { return 0.5f * erfcf(-x * 0.70710678118654752f); }
static inline void sincosf(float x, float* sine, float* cosine) { *sine = sinf(x); *cosine = cosf(x); }
static inline float exp10f(float x) { return (float)pow(10.0, (double)x); }

static inline float __expf(float x) { return expf(x); }
static inline float __exp10f(float x) { return exp10f(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __log2f(float x) { return log2f(x); }
static inline float __log10f(float x) { return log10f(x); }
static inline float __sinf(float x) { return sinf(x); }
static inline float __cosf(float x) { return cosf(x); }
static inline float __tanf(float x) { return tanf(x); }
static inline float __powf(float x, float y) { return powf(x, y); }
static inline float __fdividef(float x, float y) { return x / y; }
static inline float __saturatef(float x) { return fminf(fmaxf(x, 0), 1); }
static inline float __frcp_rn(float x) { return 1 / x; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __frsqrt_rn(float x) { return rsqrtf(x); }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
// Rounded on their own: never joined into one multiply-and-add.
__attribute__((optimize("fp-contract=off"), noinline)) static float __fadd_rn(float x, float y) { return x + y; }
__attribute__((optimize("fp-contract=off"), noinline)) static float __fsub_rn(float x, float y) { return x - y; }
__attribute__((optimize("fp-contract=off"), noinline)) static float __fmul_rn(float x, float y) { return x * y; }

template <class To, class From> static inline To softwareBits(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same number of bits");
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}
static inline unsigned __float_as_uint(float x) { return softwareBits<unsigned>(x); }
static inline int __float_as_int(float x) { return softwareBits<int>(x); }
static inline float __uint_as_float(unsigned x) { return softwareBits<float>(x); }
static inline float __int_as_float(int x) { return softwareBits<float>(x); }
static inline long long __double_as_longlong(double x) { return softwareBits<long long>(x); }
static inline double __longlong_as_double(long long x) { return softwareBits<double>(x); }

// Conversions to integers stay within their range, and turn a NaN into zero.
static inline int softwareToInt(float x) {
  return __builtin_isnan(x) ? 0 : x >= 2147483648.0f ? 2147483647 : x <= -2147483648.0f ? -2147483647 - 1 : (int)x;
}
static inline unsigned softwareToUint(float x) {
  return !(x > 0) ? 0 : x >= 4294967296.0f ? 4294967295u : (unsigned)x;
}
static inline long long softwareToLong(float x) {
  return __builtin_isnan(x) ? 0 : x >= 9223372036854775808.0f ? 9223372036854775807ll : x <= -9223372036854775808.0f ? -9223372036854775807ll - 1 : (long long)x;
}
static inline int __float2int_rn(float x) { return softwareToInt(rintf(x)); }
static inline int __float2int_rz(float x) { return softwareToInt(truncf(x)); }
static inline int __float2int_rd(float x) { return softwareToInt(floorf(x)); }
static inline int __float2int_ru(float x) { return softwareToInt(ceilf(x)); }
static inline unsigned __float2uint_rn(float x) { return softwareToUint(rintf(x)); }
static inline unsigned __float2uint_rz(float x) { return softwareToUint(truncf(x)); }
static inline unsigned __float2uint_rd(float x) { return softwareToUint(floorf(x)); }
static inline long long __float2ll_rn(float x) { return softwareToLong(rintf(x)); }
static inline long long __float2ll_rz(float x) { return softwareToLong(truncf(x)); }
static inline long long __float2ll_rd(float x) { return softwareToLong(floorf(x)); }
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(unsigned x) { return (float)x; }
static inline float __ll2float_rn(long long x) { return (float)x; }
static inline int lrintf(float x) { return softwareToInt(rintf(x)); }

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; bit++) reversed |= ((x >> bit) & 1u) << (31 - bit);
  return reversed;
}
static inline int __mulhi(int x, int y) { return (int)(((long long)x * y) >> 32); }
static inline unsigned __umulhi(unsigned x, unsigned y) { return (unsigned)(((unsigned long long)x * y) >> 32); }
static inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  return (unsigned long long)(((unsigned __int128)x * y) >> 64);
}
static inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((((unsigned long long)high << 32) | low) << (shift & 31)) >> 32);
}
static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)((((unsigned long long)high << 32) | low) >> (shift & 31));
}
static inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  unsigned long long bytes = ((unsigned long long)y << 32) | x;
  unsigned result = 0;
  for (int byte = 0; byte < 4; byte++) result |= (unsigned)((bytes >> (8 * ((selector >> (4 * byte)) & 7))) & 255) << (8 * byte);
  return result;
}
