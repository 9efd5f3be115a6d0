// Included before the text of every program: what the CUDA compiler has built in.
#pragma once
#include "module.h"

namespace software {
/** A type that a template does not take from this argument. */
template <class T> struct SameType { typedef T type; };
template <class T> using Same = typename SameType<T>::type;
}  // namespace software

typedef software::Triple dim3;
typedef software::Triple uint3;

#define __SOFTWARE_DEVICE__ 1
#define __CUDACC_RTC__ 1
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)
#define __grid_constant__
#define warpSize 32

static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const software::Runtime* softwareRuntime;

// In a kernel named k its arrays go into a section of their own, whose bounds the linker knows.
#define SOFTWARE_SHARED(kernel) static __attribute__((section("shared_" #kernel)))
#define SOFTWARE_DYNAMIC_SHARED(type, name) type* const name = (type*)softwareRuntime->dynamicShared
#define DYNAMIC_SHARED(name) unsigned char* const name = softwareRuntime->dynamicShared

static inline void __syncthreads() { softwareRuntime->barrier(false); }
static inline int __syncthreads_count(int predicate) { return softwareRuntime->barrier(predicate != 0); }
static inline int __syncthreads_or(int predicate) { return softwareRuntime->barrier(predicate != 0) > 0; }
static inline int __syncthreads_and(int predicate) { return softwareRuntime->barrier(predicate == 0) == 0; }
static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}
static inline void __nanosleep(unsigned) {}

#include "vectors.h"
#include "mathematics.h"
#include "warp.h"
#include "tensor-core.h"

// Threads run one at a time, so that nothing comes between a reading and a writing.
#define SOFTWARE_ATOMIC(name, change) \
  template <class T> static inline T name(T* address, software::Same<T> value) { \
    T old = *address; \
    change; \
    return old; \
  }
SOFTWARE_ATOMIC(atomicAdd, *address = old + value)
SOFTWARE_ATOMIC(atomicSub, *address = old - value)
SOFTWARE_ATOMIC(atomicMax, if (value > old) *address = value)
SOFTWARE_ATOMIC(atomicMin, if (value < old) *address = value)
SOFTWARE_ATOMIC(atomicExch, *address = value)
SOFTWARE_ATOMIC(atomicAnd, *address = old & value)
SOFTWARE_ATOMIC(atomicOr, *address = old | value)
SOFTWARE_ATOMIC(atomicXor, *address = old ^ value)
#undef SOFTWARE_ATOMIC
template <class T> static inline T atomicCAS(T* address, software::Same<T> expected, software::Same<T> value) {
  T old = *address;
  if (old == expected) *address = value;
  return old;
}
static inline unsigned atomicInc(unsigned* address, unsigned limit) { unsigned old = *address; *address = old >= limit ? 0 : old + 1; return old; }

namespace software {

template <int...> struct Indices {};

template <class T> struct Describe {
  static constexpr Parameter value = {sizeof(T), false, alignof(T)};
};
template <class T> struct Describe<T*> {
  static constexpr Parameter value = {sizeof(T*), true, alignof(T)};
};
template <> struct Describe<void*> {
  static constexpr Parameter value = {sizeof(void*), true, 1};
};
template <> struct Describe<const void*> {
  static constexpr Parameter value = {sizeof(void*), true, 1};
};

template <auto function> struct Entry;
template <class... Arguments, void (*function)(Arguments...)> struct Entry<function> {
  static constexpr int count = sizeof...(Arguments);
  static constexpr Parameter parameters[count + 1] = {Describe<Arguments>::value..., {}};
  template <int... index> static inline void call(void** arguments, Indices<index...>) {
    function(*(Arguments*)arguments[index]...);
  }
  static void run(void** arguments) { call(arguments, Indices<__integer_pack(count)...>()); }
};

constexpr int firstBound(int threads, ...) { return threads; }

}  // namespace software

#define SOFTWARE_SECTION_BOUNDS(kernel) \
  extern "C" char __start_shared_##kernel[] __attribute__((weak, visibility("hidden"))); \
  extern "C" char __stop_shared_##kernel[] __attribute__((weak, visibility("hidden")));
#define SOFTWARE_KERNEL(kernel, bounds) \
  {#kernel, software::Entry<&kernel>::run, software::Entry<&kernel>::parameters, software::Entry<&kernel>::count, \
   __start_shared_##kernel, __stop_shared_##kernel, bounds},

// Called by the checks that the compiler puts into kernels.
namespace software {
struct Place {
  const char* file;
  unsigned line, column;
};
}  // namespace software
extern "C" __attribute__((visibility("hidden"), used, noinline)) void __ubsan_handle_type_mismatch_v1(software::Place* place, unsigned long) {
  softwareRuntime->fail(716, "misaligned address", place->file, place->line);
}
extern "C" __attribute__((visibility("hidden"), used, noinline)) void __ubsan_handle_out_of_bounds(software::Place* place, unsigned long) {
  softwareRuntime->fail(700, "an index beyond an array in shared or local memory", place->file, place->line);
}
extern "C" __attribute__((visibility("hidden"), used, noinline)) void __ubsan_handle_divrem_overflow(software::Place* place, unsigned long, unsigned long) {
  softwareRuntime->fail(719, "an integer divided by zero", place->file, place->line);
}
extern "C" __attribute__((visibility("hidden"), used, noinline)) void __ubsan_handle_shift_out_of_bounds(software::Place* place, unsigned long, unsigned long) {
  softwareRuntime->fail(719, "a shift by more bits than there are", place->file, place->line);
}
