import { type MatrixShape, requireSize } from './nbits.js';
import { requireFinite } from './quantization-error.js';

/** A matrix [rows, columns] in 8 bits with one scale a row (LLM.int8(), Dettmers et al. 2022): value = code · absmax / 127. */
export interface Int8Rows {
  /** [rows, columns] */
  readonly codes: Int8Array;
  /** Largest magnitude of each row. */
  readonly absmax: Float32Array;
}

/** Adding and taking away this much rounds a small number to the nearest integer, halves to the even one. */
const rounding = 1.5 * 2 ** 52;

/**
 * Quantizes each row by its largest magnitude, as bitsandbytes does (`int8_vectorwise_quant`).
 *
 * @throws ShapeError if the number of values is not that of the shape; QuantizationError for values that are not finite.
 */
export function quantizeInt8Rows(values: Float32Array, shape: MatrixShape): Int8Rows {
  requireSize('quantizeInt8Rows', values, shape);
  const [rows, columns] = shape;
  const codes = new Int8Array(values.length);
  const absmax = new Float32Array(rows);
  let sumOfDefects = 0;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    let largest = 0;
    for (let i = end - columns; i < end; i++) {
      const value = values[i]!;
      const magnitude = value < 0 ? -value : value;
      if (magnitude > largest) largest = magnitude;
      sumOfDefects += value - value; // NaN where a value is not finite
    }
    const factor = Math.fround(127 / largest);
    if (!Number.isFinite(factor)) continue; // zeros, or as good as
    absmax[row] = largest;
    for (let i = end - columns; i < end; i++) codes[i] = Math.fround(values[i]! * factor) + rounding - rounding;
  }
  if (sumOfDefects !== 0) requireFinite('quantizeInt8Rows', values);
  return { codes, absmax };
}

/** The float matrix [rows, columns] behind a quantized one, row-major. */
export function dequantizeInt8Rows({ codes, absmax }: Int8Rows, [rows, columns]: MatrixShape): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const largest = absmax[row]!;
    const end = (row + 1) * columns;
    for (let i = end - columns; i < end; i++) values[i] = Math.fround(codes[i]! * largest) / 127;
  }
  return values;
}
