import type { DType } from '../../../dtype.js';

/** Names of the element types in kernels; those of 16 bits come from the prelude. */
export const cTypes = {
  float32: 'float',
  float16: 'float16',
  bfloat16: 'bfloat16',
  int64: 'int64',
  int32: 'int',
  uint8: 'uint8',
  bool: 'uint8',
} as const satisfies Readonly<Record<DType, string>>;
