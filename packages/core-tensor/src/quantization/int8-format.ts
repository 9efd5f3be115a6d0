import { div } from '../ops/arithmetic.js';
import { broadcastTo } from '../ops/broadcast.js';
import type { NBitsTensors } from '../ops/quantized.js';
import { decodeNBits, matmulNBits } from '../ops/quantized.js';
import { pad, reshape } from '../ops/rearrange.js';
import type { Tensor } from '../tensor.js';
import type { QuantizationConfig } from './config.js';
import type { Parts, WeightFormat } from './formats.js';
import { dequantizeInt8Rows, quantizeInt8Rows } from './int8-rows.js';

/** What is added to a code, so that it is a byte without sign. */
const zeroPoint = 128;

/** 8 bits with one scale a row, as bitsandbytes has them, held as `packed` = code + 128 [outputs, inputs]. */
export const int8Format: WeightFormat<Extract<QuantizationConfig, { format: 'int8' }>> = {
  specs: ([outputs, inputs]) => ({
    packed: { shape: [outputs, inputs], dtype: 'uint8' },
    absmax: { shape: [outputs], dtype: 'float32' },
  }),
  quantize(values, shape) {
    const { codes, absmax } = quantizeInt8Rows(values, shape);
    return { packed: Uint8Array.from(codes, (code) => code + zeroPoint), absmax };
  },
  dequantize(parts, [, inputs], _config, begin, end) {
    const codes = Int8Array.from(
      (parts.packed as Uint8Array).subarray(begin * inputs, end * inputs),
      (byte) => byte - zeroPoint,
    );
    const absmax = (parts.absmax as Float32Array).subarray(begin, end);
    return dequantizeInt8Rows({ codes, absmax }, [end - begin, inputs]);
  },
  multiply(x, parts, [, inputs], _config, accuracyLevel) {
    const blockSize = blockSizeFor(inputs);
    return matmulNBits(x, inBlocks(parts, inputs, blockSize), { bits: 8, blockSize, accuracyLevel });
  },
  decode(parts, [, inputs]) {
    const blockSize = blockSizeFor(inputs);
    const { packed, scales } = inBlocks(parts, inputs, blockSize);
    return decodeNBits(packed, scales, undefined, { bits: 8, blockSize, columns: inputs });
  },
};

/** The largest block that ends where a row does, or one that leaves little over. */
function blockSizeFor(inputs: number): number {
  for (let size = 256; size >= 16; size /= 2) if (inputs % size === 0) return size;
  return 32;
}

/** The weight as one of MatMulNBits whose blocks have the scale of their row. */
function inBlocks({ packed, absmax }: Parts<Tensor>, inputs: number, blockSize: number): NBitsTensors {
  const [outputs] = packed!.shape as [number];
  const blocks = Math.ceil(inputs / blockSize);
  const filled = pad(packed!, { before: [0, 0], after: [0, blocks * blockSize - inputs] });
  return {
    packed: reshape(filled, [outputs, blocks, blockSize]),
    scales: broadcastTo(reshape(div(absmax!, 127), [outputs, 1]), [outputs, blocks]),
  };
}
