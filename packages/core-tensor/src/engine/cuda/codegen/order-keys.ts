import type { DType } from '../../../dtype.js';
import { guarded } from './launch-text.js';

/** The type of the keys by which elements of a dtype are ordered. */
export function keyType(dtype: DType): 'uint32' | 'unsigned long long' {
  return dtype === 'int64' ? 'unsigned long long' : 'uint32';
}

/**
 * `order_key(element)`: unsigned numbers in the order of the elements, NaN above all, −0 equal to 0; and
 * `order_key_of_smallest`, in the opposite order, NaN still above all.
 */
export const orderKeys = guarded(
  'ORDER_KEYS',
  `
__device__ __forceinline__ uint32 order_key(float x) {
  if (x != x) return 0xffffffffu;
  const uint32 bits = x == 0.0f ? 0u : __float_as_uint(x);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ uint32 order_key(bfloat16 x) { return order_key(to_float(x)); }
__device__ __forceinline__ uint32 order_key(float16 x) { return order_key(to_float(x)); }
__device__ __forceinline__ uint32 order_key(int x) { return (uint32)x ^ 0x80000000u; }
__device__ __forceinline__ uint32 order_key(uint8 x) { return x; }
__device__ __forceinline__ unsigned long long order_key(int64 x) { return (unsigned long long)x ^ 0x8000000000000000ull; }
__device__ __forceinline__ uint32 order_key_of_smallest(float x) { return x != x ? 0xffffffffu : order_key(-x); }
__device__ __forceinline__ uint32 order_key_of_smallest(bfloat16 x) { return order_key_of_smallest(to_float(x)); }
__device__ __forceinline__ uint32 order_key_of_smallest(float16 x) { return order_key_of_smallest(to_float(x)); }
__device__ __forceinline__ uint32 order_key_of_smallest(int x) { return ~order_key(x); }
__device__ __forceinline__ uint32 order_key_of_smallest(uint8 x) { return ~order_key(x); }
__device__ __forceinline__ unsigned long long order_key_of_smallest(int64 x) { return ~order_key(x); }`,
);
