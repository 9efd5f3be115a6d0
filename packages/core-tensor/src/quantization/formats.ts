import type { AnyTypedArray, DType } from '../dtype.js';
import type { Shape } from '../graph/shape.js';
import type { AccuracyLevel } from '../ops/quantized.js';
import type { Tensor } from '../tensor.js';
import { bnb4Format } from './bnb4-format.js';
import type { QuantizationConfig } from './config.js';
import { int8Format } from './int8-format.js';
import type { MatrixShape } from './nbits.js';
import { nbitsFormat } from './nbits-format.js';

/** Names of the tensors that hold a quantized weight. */
export type PartName = 'packed' | 'scales' | 'zeroPoints' | 'absmax' | 'nestedAbsmax' | 'nestedMap' | 'nestedOffset';

/** Shape and dtype of a part. */
export interface PartSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Parts that a format has, by name. */
export type Parts<Value> = { readonly [Name in PartName]?: Value };

/** Everything that is particular to a format. A weight is [outputs, inputs]. */
export interface WeightFormat<Config> {
  /** Which parts there are. */
  specs(shape: MatrixShape, config: Config): Parts<PartSpec>;
  /** @throws QuantizationError for values that are not finite. */
  quantize(values: Float32Array, shape: MatrixShape, config: Config): Parts<AnyTypedArray>;
  /** Rows `begin` to `end` (exclusive) of the values behind the parts; both are multiples of {@link rowStep}. */
  dequantize(parts: Parts<AnyTypedArray>, shape: MatrixShape, config: Config, begin: number, end: number): Float32Array;
  /** x·Wᵀ: x [..., inputs] → [..., outputs] */
  multiply(x: Tensor, parts: Parts<Tensor>, shape: MatrixShape, config: Config, accuracyLevel: AccuracyLevel): Tensor;
  /** The weight as a tensor of floats. */
  decode(parts: Parts<Tensor>, shape: MatrixShape, config: Config): Tensor;
}

const formats: {
  readonly [Format in QuantizationConfig['format']]: WeightFormat<Extract<QuantizationConfig, { format: Format }>>;
} = {
  nbits: nbitsFormat,
  nf4: bnb4Format,
  fp4: bnb4Format,
  int8: int8Format,
};

/** The rules of a configuration's format. */
export function formatOf(config: QuantizationConfig): WeightFormat<QuantizationConfig> {
  // Format and configuration belong together, which the compiler cannot see.
  return formats[config.format] as unknown as WeightFormat<QuantizationConfig>;
}

/** Quantizes the values of a weight. */
export function quantizeValues(
  values: Float32Array,
  shape: MatrixShape,
  config: QuantizationConfig,
): Parts<AnyTypedArray> {
  return formatOf(config).quantize(values, shape, config);
}

/** The values behind a quantized weight. */
export function dequantizeValues(
  parts: Parts<AnyTypedArray>,
  shape: MatrixShape,
  config: QuantizationConfig,
): Float32Array {
  return formatOf(config).dequantize(parts, shape, config, 0, shape[0]);
}

/** Rows that can be decoded on their own come in multiples of this: blocks may go on from one row to the next. */
export function rowStep([, columns]: MatrixShape, config: QuantizationConfig): number {
  if (config.format === 'nbits' || config.format === 'int8' || columns === 0) return 1;
  let step = config.blockSize;
  while (step > 1 && (columns * step) % (2 * config.blockSize) === 0) step /= 2;
  return (columns * step) % config.blockSize === 0 ? step : 2 * step;
}
