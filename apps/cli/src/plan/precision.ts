import type { QuantizeOptions } from '@ocelli/core-tensor';

/** What weights are held in: `int8` and `int4` stand for linear layers in blocks of 32, and float32 for all else. */
export type Precision = 'float32' | 'bfloat16' | 'float16' | 'int8' | 'int4';

/** How linear layers are quantized, as exported language models usually are. */
export const quantization = {
  int8: { format: 'nbits', bits: 8, blockSize: 32 },
  int4: { format: 'nbits', bits: 4, blockSize: 32 },
} as const satisfies Partial<Record<Precision, QuantizeOptions>>;

/** A precision of quantized weights. */
export type QuantizedPrecision = keyof typeof quantization;

export function isQuantized(precision: Precision): precision is QuantizedPrecision {
  return Object.hasOwn(quantization, precision);
}

/** Bytes of a float under a precision. */
export function floatBytesOf(precision: Precision): 2 | 4 {
  return precision === 'bfloat16' || precision === 'float16' ? 2 : 4;
}
