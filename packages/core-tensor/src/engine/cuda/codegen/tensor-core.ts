import { guarded } from './launch-text.js';

/**
 * Matrix instructions of sm_80 and later, in the fragments of the PTX manual (mma.m16n8k16, ldmatrix), and copies to shared
 * memory that a thread does not wait for. For lane `l`: a holds rows l / 4 and l / 4 + 8, columns l % 4 · 2 (+ 1, + 8, + 9); b
 * the same with its rows as columns; d rows l / 4, l / 4 + 8 and columns l % 4 · 2 (+ 1).
 */
export const tensorCoreFunctions = guarded(
  'TENSOR_CORE',
  `
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
#ifdef __CUDA_ARCH__
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  software_mma_m16n8k16_bf16(d, a, b);
#endif
}
__device__ __forceinline__ void mma_m16n8k16_f16(float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) {
#ifdef __CUDA_ARCH__
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
    : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  software_mma_m16n8k16_f16(d, a, b);
#endif
}
__device__ __forceinline__ void multiply_fragments(const bfloat16*, float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) { mma_m16n8k16_bf16(d, a, b); }
__device__ __forceinline__ void multiply_fragments(const float16*, float (&d)[4], const uint32 (&a)[4], const uint32 (&b)[2]) { mma_m16n8k16_f16(d, a, b); }
__device__ __forceinline__ uint32 shared_address(const void* pointer) {
  uint32 address = 0;
#ifdef __CUDA_ARCH__
  asm("{ .reg .u64 wide; cvta.to.shared.u64 wide, %1; cvt.u32.u64 %0, wide; }" : "=r"(address) : "l"(pointer));
#endif
  return address;
}
// Four 8 x 8 matrices of 16-bit elements; lanes 8 i to 8 i + 7 give the rows of matrix i.
__device__ __forceinline__ void ldmatrix_x4(uint32 (&r)[4], const void* row) {
#ifdef __CUDA_ARCH__
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
    : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
#else
  software_ldmatrix(r, row, 4);
#endif
}
__device__ __forceinline__ void ldmatrix_x4_trans(uint32 (&r)[4], const void* row) {
#ifdef __CUDA_ARCH__
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
    : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
#else
  software_ldmatrix_trans(r, row, 4);
#endif
}
// 16 bytes to shared memory, zeros where there is nothing to copy.
__device__ __forceinline__ void copy_async(void* shared, const void* global, bool there) {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
    :: "r"(shared_address(shared)), "l"(global), "r"(there ? 16 : 0) : "memory");
#else
  software_cp_async(shared, global, 16, there ? 16 : 0);
#endif
}
__device__ __forceinline__ void copy_async_commit() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  software_cp_async_commit();
#endif
}
template <int groups_left> __device__ __forceinline__ void copy_async_wait() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.wait_group %0;" :: "n"(groups_left) : "memory");
#else
  software_cp_async_wait(groups_left);
#endif
}
// Two floats, rounded, as one word: the first in the low half.
__device__ __forceinline__ uint32 pack(const bfloat16*, float low, float high) {
#ifdef __CUDA_ARCH__
  uint32 packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return from_float<bfloat16>(low).bits | (uint32)from_float<bfloat16>(high).bits << 16;
#endif
}
__device__ __forceinline__ uint32 pack(const float16*, float low, float high) {
#ifdef __CUDA_ARCH__
  uint32 packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return from_float<float16>(low).bits | (uint32)from_float<float16>(high).bits << 16;
#endif
}
// 2 to the power of x.
__device__ __forceinline__ float fast_exp2(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}`,
);
