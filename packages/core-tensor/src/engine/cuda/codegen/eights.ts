import { guarded } from './launch-text.js';

/** `load_eight(values, pointer)` and `store_eight(pointer, values)`: eight neighbours, at a multiple of 16 bytes, as floats. */
export const loadEight = guarded(
  'LOAD_EIGHT',
  `
struct alignas(16) eight_bfloat16 { bfloat16 values[8]; };
struct alignas(16) eight_float16 { float16 values[8]; };
struct alignas(16) four_float { float values[4]; };
__device__ __forceinline__ void load_eight(float (&values)[8], const bfloat16* from) {
  const eight_bfloat16 read = *(const eight_bfloat16*)from;
  #pragma unroll
  for (int j = 0; j < 8; j++) values[j] = to_float(read.values[j]);
}
__device__ __forceinline__ void load_eight(float (&values)[8], const float16* from) {
  const eight_float16 read = *(const eight_float16*)from;
  #pragma unroll
  for (int j = 0; j < 8; j++) values[j] = to_float(read.values[j]);
}
__device__ __forceinline__ void load_eight(float (&values)[8], const float* from) {
  const four_float low = ((const four_float*)from)[0], high = ((const four_float*)from)[1];
  #pragma unroll
  for (int j = 0; j < 4; j++) { values[j] = low.values[j]; values[4 + j] = high.values[j]; }
}
__device__ __forceinline__ void store_eight(bfloat16* to, const float (&values)[8]) {
  eight_bfloat16 written;
  #pragma unroll
  for (int j = 0; j < 8; j++) written.values[j] = from_float<bfloat16>(values[j]);
  *(eight_bfloat16*)to = written;
}
__device__ __forceinline__ void store_eight(float16* to, const float (&values)[8]) {
  eight_float16 written;
  #pragma unroll
  for (int j = 0; j < 8; j++) written.values[j] = from_float<float16>(values[j]);
  *(eight_float16*)to = written;
}
__device__ __forceinline__ void store_eight(float* to, const float (&values)[8]) {
  four_float low, high;
  #pragma unroll
  for (int j = 0; j < 4; j++) { low.values[j] = values[j]; high.values[j] = values[4 + j]; }
  ((four_float*)to)[0] = low;
  ((four_float*)to)[1] = high;
}`,
);
