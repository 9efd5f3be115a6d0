export { type BitsAndBytesWeight, bitsAndBytesWeights } from './bits-and-bytes.js';
export { type Bnb4Array, type Bnb4Options, dequantizeBnb4, quantizeBnb4 } from './bnb4.js';
export { type Bnb4Format, codebooks } from './codebook.js';
export {
  type Bnb4Config,
  type NBitsConfig,
  parseQuantizationConfig,
  type QuantizationConfig,
  type QuantizationConfigInput,
} from './config.js';
export { dequantizeInt8Rows, type Int8Rows, quantizeInt8Rows } from './int8-rows.js';
export type { LayerSelection } from './layers.js';
export { type LoadQuantizedOptions, loadQuantizedWeights } from './load-quantized.js';
export { dequantizeNBits, type MatrixShape, type NBitsMatrix, type NBitsOptions, quantizeNBits } from './nbits.js';
export { QuantizationError } from './quantization-error.js';
export {
  dequantizeModule,
  prepareQuantized,
  type QuantizationReport,
  type QuantizedLayerReport,
  type QuantizeOptions,
  quantizationOf,
  quantizeModule,
  setAccuracyLevel,
} from './quantize-module.js';
export { QuantizedWeight, type QuantizedWeightOptions } from './quantized-weight.js';
export { type CompressedStatistics, compressStatistics, dynamicMap, restoreStatistics } from './statistics.js';
export { bitsAndBytesTensors } from './write-bits-and-bytes.js';
