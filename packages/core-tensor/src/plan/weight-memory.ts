import { type Shape, sizeOf } from '../graph/shape.js';
import { Linear } from '../nn/layers.js';
import type { Module } from '../nn/module.js';
import { isOutputLayer } from '../nn/output-layer.js';
import { blocksPerRow } from '../quantization/nbits.js';

/** What weights are held in. */
export type WeightPrecision = 'float32' | 'bfloat16' | 'float16' | 'int8' | 'int4';

/** Bits of a weight in blocks, and how many share a float32 scale. */
const quantized = { int8: 8, int4: 4 } as const;
const blockSize = 32;

/**
 * Bytes of a module's parameters in a precision. `int8` and `int4` are for the weights of linear layers, in blocks of
 * 32 along a row with a float32 scale each; everything else, output layers included, is float32 there.
 */
export function weightBytes(module: Module, precision: WeightPrecision): number {
  const parameters = Object.values(module.namedParameters());
  if (precision !== 'int8' && precision !== 'int4') {
    const elements = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return elements * (precision === 'float32' ? 4 : 2);
  }
  const matrices = new Set<unknown>(
    Object.entries(module.namedModules()).flatMap(([path, each]) =>
      each instanceof Linear && !isOutputLayer(path) ? [each.weight] : [],
    ),
  );
  const bytes = (shape: Shape, isMatrix: boolean) =>
    isMatrix ? quantizedBytes(shape, quantized[precision]) : 4 * sizeOf(shape);
  return parameters.reduce((sum, parameter) => sum + bytes(parameter.shape, matrices.has(parameter)), 0);
}

/** [rows, columns], the last block of a row filled up. */
function quantizedBytes(shape: Shape, bits: number): number {
  const [rows, columns] = shape as [number, number];
  return rows * blocksPerRow(columns, { blockSize }) * (blockSize * (bits / 8) + 4);
}
