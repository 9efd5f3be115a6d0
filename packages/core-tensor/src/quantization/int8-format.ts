import { div } from '../ops/arithmetic.js';
import { broadcastTo } from '../ops/broadcast.js';
import type { NBitsTensors } from '../ops/quantized.js';
import { decodeNBits, matmulNBits } from '../ops/quantized.js';
import { reshape } from '../ops/rearrange.js';
import type { Tensor } from '../tensor.js';
import type { QuantizationConfig } from './config.js';
import type { Parts, WeightFormat } from './formats.js';
import { dequantizeInt8Rows, quantizeInt8Rows } from './int8-rows.js';
import type { MatrixShape } from './nbits.js';

/** What is added to a code, so that it is a byte without sign. */
const zeroPoint = 128;

/**
 * 8 bits with one scale a row, as bitsandbytes has them, held as `packed` = code + 128 in the blocks of MatMulNBits:
 * [outputs, blocks, blockSize], the last one of a row filled up.
 */
export const int8Format: WeightFormat<Extract<QuantizationConfig, { format: 'int8' }>> = {
  specs([outputs, inputs]) {
    const blockSize = int8BlockSize(inputs);
    return {
      packed: { shape: [outputs, Math.ceil(inputs / blockSize), blockSize], dtype: 'uint8' },
      absmax: { shape: [outputs], dtype: 'float32' },
    };
  },
  quantize(values, shape) {
    const { codes, absmax } = quantizeInt8Rows(values, shape);
    return { packed: packInt8(codes, shape), absmax };
  },
  dequantize(parts, [, inputs], _config, begin, end) {
    const stored = filledWidth(inputs);
    const rows = (parts.packed as Uint8Array).subarray(begin * stored, end * stored);
    const codes = unpackInt8(rows, [end - begin, inputs]);
    return dequantizeInt8Rows({ codes, absmax: (parts.absmax as Float32Array).subarray(begin, end) }, [
      end - begin,
      inputs,
    ]);
  },
  multiply: (x, parts, [, inputs], _config, accuracyLevel) =>
    matmulNBits(x, tensorsOf(parts), { bits: 8, blockSize: int8BlockSize(inputs), accuracyLevel }),
  decode(parts, [, inputs]) {
    const { packed, scales } = tensorsOf(parts);
    return decodeNBits(packed, scales, undefined, { bits: 8, blockSize: int8BlockSize(inputs), columns: inputs });
  },
};

/** The largest block that ends where a row does, or one that leaves little over. */
function int8BlockSize(inputs: number): number {
  for (let size = 256; size >= 16; size /= 2) if (inputs % size === 0) return size;
  return 32;
}

/** Bytes of a row. */
function filledWidth(inputs: number): number {
  const blockSize = int8BlockSize(inputs);
  return Math.ceil(inputs / blockSize) * blockSize;
}

/** @internal Codes with sign, row by row, as the bytes of `packed`. */
export function packInt8(codes: Int8Array, [rows, columns]: MatrixShape): Uint8Array {
  const width = filledWidth(columns);
  const packed = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) packed[row * width + i] = codes[row * columns + i]! + zeroPoint;
  }
  return packed;
}

/** @internal The codes with sign, row by row, in the bytes of `packed`. */
export function unpackInt8(packed: Uint8Array, [rows, columns]: MatrixShape): Int8Array {
  const width = filledWidth(columns);
  const codes = new Int8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) codes[row * columns + i] = packed[row * width + i]! - zeroPoint;
  }
  return codes;
}

/** The weight as one of MatMulNBits whose blocks have the scale of their row. */
function tensorsOf({ packed, absmax }: Parts<Tensor>): NBitsTensors {
  const [outputs, blocks] = packed!.shape as [number, number, number];
  return {
    packed: packed!,
    scales: broadcastTo(reshape(div(absmax!, 127), [outputs, 1]), [outputs, blocks]),
  };
}
