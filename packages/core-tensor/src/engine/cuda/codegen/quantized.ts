import type { DType } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { loadEight } from './eights.js';
import { eachOf, integer, launch, reads, spread, warpSum, writes } from './launch-text.js';
import { type CudaLowering, type Lowered, nothing, type PlannedLaunch, type Stored } from './lowered.js';
import { bnb4Weight, nBitsWeight, type PackedWeight } from './quantized/weights.js';
import { narrowStorage, tiledProduct } from './tiled-product.js';

/** Rows up to which the packed weight is read once, straight into registers. */
const fewRows = 8;

/** Columns of the result that a warp computes: a row of x that it has read serves all of them. */
const columnsOfWarp = 2;

const warps = 4;

/**
 * x · weightᵀ with the weight in few bits. Few rows: at the speed at which packed bytes come from memory. More: tiles of the
 * weight are unpacked into shared memory, for tensor cores where x is stored in 16 bits; {@link unpackNBits} and a product of
 * cuBLASLt are faster for hundreds of rows.
 */
export const matmulNBits: CudaLowering<'matmulNBits'> = (node) =>
  product(node.inputs[0]!, node.shape, node.dtype, nBitsWeight(node));

/** {@link matmulNBits} for bitsandbytes' codes. */
export const matmulBnb4: CudaLowering<'matmulBnb4'> = (node) =>
  product(node.inputs[0]!, node.shape, node.dtype, bnb4Weight(node));

/** The weight [outputs, width] of a `matmulNBits` node in `dtype`: reads the packed codes and scales, writes `out`. */
export function unpackNBits(node: Parameters<typeof matmulNBits>[0], dtype: DType): Lowered {
  return unpack(nBitsWeight(node), dtype);
}

/** The weight [outputs, width] of a `matmulBnb4` node in `dtype`. */
export function unpackBnb4(node: Parameters<typeof matmulBnb4>[0], dtype: DType): Lowered {
  return unpack(bnb4Weight(node), dtype);
}

function product(x: Stored, shape: readonly number[], dtype: DType, weight: PackedWeight): Lowered {
  const rows = sizeOf(shape.slice(0, -1));
  if (sizeOf(shape) === 0) return nothing;
  const { width } = weight;
  const direct = rows <= fewRows && weight.inEights && width % 8 === 0;
  return { launches: [direct ? byWarps(x, rows, dtype, weight) : byTiles(x, rows, dtype, weight)], temporaries: [] };
}

function byWarps(x: Stored, rows: number, dtype: DType, weight: PackedWeight): PlannedLaunch {
  const { outputs, width, parameters, helpers, prepare, eight } = weight;
  const columnsOfBlock = warps * columnsOfWarp;
  const body = `
${prepare}
const int lane = threadIdx.x & 31, first = blockIdx.x * ${columnsOfBlock} + (threadIdx.x >> 5) * ${columnsOfWarp};
float sums[${columnsOfWarp}][${rows}] = {};
#pragma unroll 4
for (int column = lane * 8; column < ${width}; column += 256) {
  float factors[${columnsOfWarp}][8], units[${columnsOfWarp}];
  #pragma unroll
  for (int each = 0; each < ${columnsOfWarp}; each++) {
    const int output = min(first + each, ${outputs - 1});
    float (&values)[8] = factors[each];
    ${eight}
    units[each] = unit;
  }
  #pragma unroll
  for (int row = 0; row < ${rows}; row++) {
    float own[8];
    load_eight(own, x + row * ${width} + column);
    #pragma unroll
    for (int each = 0; each < ${columnsOfWarp}; each++) {
      float sum = 0.0f;
      #pragma unroll
      for (int j = 0; j < 8; j++) sum += own[j] * factors[each][j];
      sums[each][row] += sum * units[each];
    }
  }
}
#pragma unroll
for (int each = 0; each < ${columnsOfWarp}; each++) {
  #pragma unroll
  for (int row = 0; row < ${rows}; row++) {
    const float sum = sum_of_warp(sums[each][row]);
    if (lane == 0 && first + each < ${outputs}) out[row * ${outputs} + first + each] = from_float<${cTypes[dtype]}>(sum);
  }
}`;
  return launch({
    name: 'packed_matvec',
    helpers: [...helpers, warpSum, loadEight],
    parameters: [reads(0, cTypes[x.dtype], 'x'), ...parameters, writes('out', cTypes[dtype], 'out')],
    body,
    blocks: Math.ceil(outputs / columnsOfBlock),
    threads: warps * 32,
  });
}

function byTiles(x: Stored, rows: number, dtype: DType, weight: PackedWeight): PlannedLaunch {
  const { outputs, width, parameters, helpers, prepare, element } = weight;
  return tiledProduct({
    name: 'packed_matmul',
    m: rows,
    n: outputs,
    k: width,
    batch: 1,
    helpers,
    parameters: [reads(0, cTypes[x.dtype], 'x'), ...parameters, writes('out', cTypes[dtype], 'out')],
    prepare: `${prepare}\n${element}`,
    a: `to_float(x[(int64)row * ${width} + depth])`,
    b: 'weight_at(column, depth)',
    bAlong: 'depth',
    // Weights of few bits lose nothing that counts.
    narrow: narrowStorage(x.dtype, x.dtype),
    store: `out[(int64)row * ${outputs} + column] = from_float<${cTypes[dtype]}>(sum);`,
  });
}

/** A thread per two elements, of one byte where there are four bits. */
function unpack(weight: PackedWeight, dtype: DType): Lowered {
  const { outputs, width, parameters, helpers, prepare, element } = weight;
  if (outputs * width === 0) return nothing;
  const pairs = Math.ceil(width / 2);
  const body = `
${prepare}
${element}
${eachOf(outputs * pairs)}
const int output = (int)(i / ${pairs}), column = (int)(i % ${pairs}) * 2;
const int64 place = (int64)output * ${integer(width)} + column;
out[place] = from_float<${cTypes[dtype]}>(weight_at(output, column));
if (column + 1 < ${width}) out[place + 1] = from_float<${cTypes[dtype]}>(weight_at(output, column + 1));`;
  return {
    launches: [
      launch({
        name: 'unpack',
        helpers,
        parameters: [...parameters, writes('out', cTypes[dtype], 'out')],
        body,
        ...spread(outputs * pairs),
      }),
    ],
    temporaries: [],
  };
}
