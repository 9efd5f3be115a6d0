import type { AnyTypedArray } from '../dtype.js';
import { add, mul } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { gather } from '../ops/indexing.js';
import { decodeBnb4, matmulBnb4 } from '../ops/quantized.js';
import { repeatInterleave, sliceAxis } from '../ops/rearrange.js';
import type { Tensor } from '../tensor.js';
import { dequantizeBnb4, quantizeBnb4 } from './bnb4.js';
import type { Bnb4Config } from './config.js';
import type { Parts, WeightFormat } from './formats.js';
import { compressStatistics, restoreStatistics, statisticsBlockSize } from './statistics.js';

/** Codes of 4 bits of the flat weight, as bitsandbytes has them; their scales may be compressed. */
export const bnb4Format: WeightFormat<Bnb4Config> = {
  specs([outputs, inputs], { blockSize, doubleQuantized }) {
    const count = outputs * inputs;
    const blocks = Math.ceil(count / blockSize);
    const packed = { shape: [Math.ceil(count / 2)], dtype: 'uint8' } as const;
    if (!doubleQuantized) return { packed, absmax: { shape: [blocks], dtype: 'float32' } };
    return {
      packed,
      absmax: { shape: [blocks], dtype: 'uint8' },
      nestedAbsmax: { shape: [Math.ceil(blocks / statisticsBlockSize)], dtype: 'float32' },
      nestedMap: { shape: [256], dtype: 'float32' },
      nestedOffset: { shape: [], dtype: 'float32' },
    };
  },
  quantize(values, _shape, config) {
    const { packed, absmax } = quantizeBnb4(values, config);
    if (!config.doubleQuantized) return { packed, absmax };
    const compressed = compressStatistics(absmax);
    return {
      packed,
      absmax: compressed.codes,
      nestedAbsmax: compressed.absmax,
      nestedMap: compressed.map.slice(),
      nestedOffset: Float32Array.of(compressed.offset),
    };
  },
  dequantize(parts, [outputs, inputs], config, begin, end) {
    const { blockSize } = config;
    const [first, last] = [begin * inputs, end === outputs ? outputs * inputs : end * inputs];
    const absmax = scalesOf(parts).subarray(first / blockSize, Math.ceil(last / blockSize));
    const packed = (parts.packed as Uint8Array).subarray(first / 2, Math.ceil(last / 2));
    return dequantizeBnb4({ packed, absmax }, last - first, config);
  },
  multiply: (x, parts, [outputs], { format, blockSize }, accuracyLevel) =>
    matmulBnb4(x, { packed: parts.packed!, absmax: scaleTensor(parts) }, { format, blockSize, outputs, accuracyLevel }),
  decode: (parts, shape, { format, blockSize }) =>
    decodeBnb4(parts.packed!, scaleTensor(parts), { format, blockSize, shape }),
};

function scalesOf({ absmax, nestedAbsmax, nestedMap, nestedOffset }: Parts<AnyTypedArray>): Float32Array {
  if (!nestedAbsmax) return absmax as Float32Array;
  return restoreStatistics({
    codes: absmax as Uint8Array,
    absmax: nestedAbsmax as Float32Array,
    map: nestedMap as Float32Array,
    offset: Number(nestedOffset![0]),
  });
}

function scaleTensor({ absmax, nestedAbsmax, nestedMap, nestedOffset }: Parts<Tensor>): Tensor {
  if (!nestedAbsmax) return absmax!;
  const values = gather(nestedMap!, cast(absmax!, 'int32'));
  const each = sliceAxis(repeatInterleave(nestedAbsmax, statisticsBlockSize, 0), 0, 0, values.size);
  return add(mul(values, each), nestedOffset!);
}
