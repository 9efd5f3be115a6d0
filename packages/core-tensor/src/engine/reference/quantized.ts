import { codebooks } from '../../quantization/codebook.js';
import type { ReferenceLowerings, ReferenceValue } from './value.js';

/** x [rows, k] times a weight [n, k] whose elements a function gives. */
function product(
  { data, shape }: ReferenceValue,
  outputs: number,
  element: (output: number, k: number) => number,
): Float64Array {
  const width = shape.at(-1)!;
  const rows = width === 0 ? 0 : data.length / width;
  const result = new Float64Array(shape.slice(0, -1).reduce((count, size) => count * size, 1) * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let k = 0; k < width; k++) {
      const factor = element(output, k);
      for (let row = 0; row < rows; row++) result[row * outputs + output]! += data[row * width + k]! * factor;
    }
  }
  return result;
}

/** Half of a byte: the low one for even places, the high one for odd ones. */
function half(byte: number, place: number): number {
  return place % 2 === 0 ? byte & 15 : byte >> 4;
}

export const quantizedLowerings = {
  matmulNBits: ({ attributes: { bits, blockSize } }, inputs) => {
    const [x, packed, scales, zeroPoints] = inputs as [ReferenceValue, ReferenceValue, ReferenceValue, ReferenceValue?];
    const [outputs, blocks] = scales.shape as [number, number];
    const code = (bytes: Float64Array, place: number) => (bits === 8 ? bytes[place]! : half(bytes[place >> 1]!, place));
    const zeroPlaces = zeroPoints ? (zeroPoints.shape[1]! * 8) / bits : 0;
    return product(x, outputs, (output, k) => {
      const block = Math.floor(k / blockSize);
      const zero = zeroPoints ? code(zeroPoints.data, output * zeroPlaces + block) : 2 ** (bits - 1);
      const place = (output * blocks + block) * blockSize + (k % blockSize);
      return (code(packed.data, place) - zero) * scales.data[output * blocks + block]!;
    });
  },

  matmulBnb4: ({ attributes: { format, blockSize, outputs } }, inputs) => {
    const [x, packed, absmax] = inputs as [ReferenceValue, ReferenceValue, ReferenceValue];
    const width = x.shape.at(-1)!;
    return product(x, outputs, (output, k) => {
      const place = output * width + k;
      const code = half(packed.data[place >> 1]!, place + 1);
      return codebooks[format][code]! * absmax.data[Math.floor(place / blockSize)]!;
    });
  },
} satisfies Partial<ReferenceLowerings>;
