import { decodeNBits, matmulNBits, type NBitsTensors } from '../ops/quantized.js';
import type { Tensor } from '../tensor.js';
import type { NBitsConfig } from './config.js';
import type { Parts, WeightFormat } from './formats.js';
import { blocksPerRow, dequantizeNBits, type NBitsMatrix, quantizeNBits, rowsOfNBits, zeroBytes } from './nbits.js';

/** Blocks of few bits along each row, as MatMulNBits has them. */
export const nbitsFormat: WeightFormat<NBitsConfig> = {
  specs([outputs, inputs], config) {
    const { bits, blockSize, symmetric } = config;
    const blocks = blocksPerRow(inputs, config);
    return {
      packed: { shape: [outputs, blocks, (blockSize * bits) / 8], dtype: 'uint8' },
      scales: { shape: [outputs, blocks], dtype: 'float32' },
      ...(symmetric ? {} : { zeroPoints: { shape: [outputs, zeroBytes(blocks, bits)], dtype: 'uint8' } }),
    };
  },
  quantize(values, shape, config) {
    const { packed, scales, zeroPoints } = quantizeNBits(values, shape, config);
    return { packed, scales, ...(zeroPoints && { zeroPoints }) };
  },
  dequantize: (parts, [, inputs], config, begin, end) =>
    dequantizeNBits(
      rowsOfNBits(parts as unknown as NBitsMatrix, inputs, config, begin, end),
      [end - begin, inputs],
      config,
    ),
  multiply: (x, parts, _shape, config, accuracyLevel) => matmulNBits(x, tensorsOf(parts), { ...config, accuracyLevel }),
  decode(parts, [, inputs], config) {
    const { packed, scales, zeroPoints } = tensorsOf(parts);
    return decodeNBits(packed, scales, zeroPoints, { ...config, columns: inputs });
  },
};

function tensorsOf({ packed, scales, zeroPoints }: Parts<Tensor>): NBitsTensors {
  return { packed: packed!, scales: scales!, zeroPoints };
}
