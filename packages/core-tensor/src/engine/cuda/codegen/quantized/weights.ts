import type { DType } from '../../../../dtype.js';
import type { PrimitiveAttributes } from '../../../../primitives/attributes.js';
import { codebooks } from '../../../../quantization/codebook.js';
import { cTypes } from '../c-types.js';
import { float, guarded, indexType, integer, type Parameter, reads } from '../launch-text.js';
import type { StoredNode } from '../lowered.js';

/** A packed weight [outputs, width]: how kernels find its elements. The packed codes are input 1 of its product. */
export interface PackedWeight {
  readonly outputs: number;
  readonly width: number;
  readonly parameters: readonly Parameter[];
  readonly helpers: readonly string[];
  /** First statements of a kernel, run by all threads. */
  readonly prepare: string;
  /** Definition of `weight_at(output, column)`, the float at a place. */
  readonly element: string;
  /** Whether eight neighbours can be read at once. */
  readonly inEights: boolean;
  /** Statements that set `values[8]`, in units of the float `unit`, for `output` and eight neighbours from `column` on. */
  readonly eight: string;
}

function scaleParameter(dtype: DType, name: string): Parameter {
  return reads(2, cTypes[dtype], name);
}

/** The weight of a `matmulNBits` node; see `NBitsMatrix`. */
export function nBitsWeight({ inputs, attributes }: StoredNode<PrimitiveAttributes['matmulNBits']>): PackedWeight {
  const [x, packed, scales, zeroPoints] = inputs;
  const { bits, blockSize } = attributes;
  const [outputs, blocks] = scales!.shape as [number, number];
  const width = x!.shape.at(-1)!;
  const index = indexType(outputs * blocks * blockSize);
  const code = (bytes: string, place: string) =>
    bits === 8 ? `${bytes}[${place}]` : `(${bytes}[(${place}) >> 1] >> ((${place}) & 1) * 4 & 15)`;
  const zeroPlaces = zeroPoints ? (zeroPoints.shape[1]! * 8) / bits : 0;
  const zero = zeroPoints
    ? `(float)${code('zeros', `((${index})output * ${zeroPlaces} + block)`)}`
    : float(2 ** (bits - 1));
  const row = integer(blocks * blockSize);
  return {
    outputs,
    width,
    helpers: [],
    parameters: [
      reads(1, cTypes[packed!.dtype], 'packed'),
      scaleParameter(scales!.dtype, 'scales'),
      ...(zeroPoints ? [reads(3, cTypes[zeroPoints.dtype], 'zeros')] : []),
    ],
    prepare: '',
    element: `const auto weight_at = [&](int output, int column) {
  const int block = column / ${blockSize};
  const ${index} place = (${index})output * ${row} + column;
  return ((float)${code('packed', 'place')} - ${zero}) * to_float(scales[(${index})output * ${blocks} + block]);
};`,
    inEights: true,
    // A code in the mantissa of 2²³ is a float without a conversion.
    eight: `const int block = column / ${blockSize};
const float unit = to_float(scales[(${index})output * ${blocks} + block]), zero = 8388608.0f + ${zero};
${
  bits === 4
    ? `const uint32 word = *(const uint32*)(packed + ((${index})output * ${row} + column) / 2);
#pragma unroll
for (int j = 0; j < 8; j++) values[j] = __uint_as_float(0x4b000000u | (word >> 4 * j & 15)) - zero;`
    : `const uint32* words = (const uint32*)(packed + (${index})output * ${row} + column);
const uint32 word[2] = { words[0], words[1] };
#pragma unroll
for (int j = 0; j < 8; j++) values[j] = __uint_as_float(0x4b000000u | (word[j >> 2] >> 8 * (j & 3) & 255)) - zero;`
}`,
  };
}

/** The weight of a `matmulBnb4` node; see `Bnb4Array`. */
export function bnb4Weight({ inputs, attributes }: StoredNode<PrimitiveAttributes['matmulBnb4']>): PackedWeight {
  const [x, packed, absmax] = inputs;
  const { format, blockSize, outputs } = attributes;
  const width = x!.shape.at(-1)!;
  const index = indexType(outputs * width);
  const values = Array.from(codebooks[format], float).join(', ');
  return {
    outputs,
    width,
    helpers: [
      guarded(`CODEBOOK_${format.toUpperCase()}`, `__constant__ float codebook_${format}[16] = { ${values} };`),
    ],
    parameters: [reads(1, cTypes[packed!.dtype], 'packed'), scaleParameter(absmax!.dtype, 'absmax')],
    prepare: `__shared__ float codebook[16];
if (threadIdx.x < 16) codebook[threadIdx.x] = codebook_${format}[threadIdx.x];
__syncthreads();`,
    element: `const auto weight_at = [&](int output, int column) {
  const ${index} place = (${index})output * ${width} + column;
  return codebook[place & 1 ? packed[place >> 1] & 15 : packed[place >> 1] >> 4] * to_float(absmax[place / ${blockSize}]);
};`,
    inEights: width % 8 === 0,
    eight: `const ${index} place = (${index})output * ${width} + column;
const float unit = to_float(absmax[place / ${blockSize}]);
const uint32 word = *(const uint32*)(packed + place / 2);
#pragma unroll
for (int j = 0; j < 8; j++) values[j] = codebook[word >> (j >> 1) * 8 + (j & 1 ? 0 : 4) & 15];`,
  };
}
