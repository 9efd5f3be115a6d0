import type { AnyTypedArray } from '../dtype.js';
import type { QuantizationConfig } from './config.js';
import { formatOf, type Parts, rowStep } from './formats.js';
import type { MatrixShape } from './nbits.js';

/** Sums of squares: of a weight's change, and of the weight. */
export interface SquaredError {
  difference: number;
  values: number;
}

/** Elements that are decoded at a time. */
const piece = 2 ** 18;

/** How far a quantized weight is from its values, without a second copy of them. */
export function squaredError(
  values: Float32Array,
  parts: Parts<AnyTypedArray>,
  shape: MatrixShape,
  config: QuantizationConfig,
): SquaredError {
  const [rows, columns] = shape;
  const format = formatOf(config);
  const step = rowStep(shape, config);
  const rowsAtOnce = step * Math.max(1, Math.floor(piece / Math.max(1, columns * step)));
  const error = { difference: 0, values: 0 };
  for (let begin = 0; begin < rows; begin += rowsAtOnce) {
    const end = Math.min(rows, begin + rowsAtOnce);
    const decoded = format.dequantize(parts, shape, config, begin, end);
    const first = begin * columns;
    let [difference, total] = [0, 0];
    for (let i = 0; i < decoded.length; i++) {
      const value = values[first + i]!;
      const distance = value - decoded[i]!;
      difference += distance * distance;
      total += value * value;
    }
    error.difference += difference;
    error.values += total;
  }
  return error;
}
