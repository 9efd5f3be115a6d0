import { byteSize, isFloating } from '../dtype.js';
import { sizeOf } from '../graph/shape.js';
import type { Module } from '../nn/module.js';

/** Options of {@link weightBytes}. */
export interface WeightMemoryOptions {
  /** Bytes of a float32 of the module as it is held. Default: 4. */
  readonly floatBytes?: number;
}

/** Bytes of a module's parameters, quantized weights as they are; none of them has to have values yet. */
export function weightBytes(module: Module, { floatBytes = 4 }: WeightMemoryOptions = {}): number {
  return Object.values(module.namedParameters()).reduce(
    (sum, { shape, dtype }) => sum + sizeOf(shape) * (isFloating(dtype) ? floatBytes : byteSize(dtype)),
    0,
  );
}
