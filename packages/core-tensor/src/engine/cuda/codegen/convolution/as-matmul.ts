import { byteSize, type DType } from '../../../../dtype.js';
import type { Conv2dAttributes, ConvTranspose2dAttributes } from '../../../../primitives/attributes.js';
import { cTypes } from '../c-types.js';
import { eachOf, integer, launch, reads, spread, writes } from '../launch-text.js';
import type { PlannedLaunch, Stored, StoredNode } from '../lowered.js';
import type { Matrices, Product } from '../product.js';
import { firstPlaces, type Windows, windowAt, windowsOf } from './windows.js';

/** A convolution as a product of its weight (`a`, input 1) with its windows (`b`): input 0 itself, or `temporary0`. */
export interface ConvolutionAsMatmul {
  readonly product: Product;
  /** Lays out the windows; left out where the image has them already. */
  readonly patches?: { readonly launch: PlannedLaunch; readonly memory: Stored };
}

export interface AsMatmulOptions {
  /** Largest memory for windows, in bytes. Default: 2²⁸. */
  readonly limit?: number;
}

/**
 * How a convolution becomes a product of matrices, for cuBLASLt: 1 × 1 kernels as they are, others (patches, whose stride is
 * their size, above all) after their windows are laid out, [batch, groups, positions, inputs · kernel]. Undefined where that
 * does not pay: kernels of one channel, several groups over several images, windows beyond the limit.
 */
export function convolutionAsMatmul(
  node: StoredNode<Conv2dAttributes>,
  { limit = 2 ** 28 }: AsMatmulOptions = {},
): ConvolutionAsMatmul | undefined {
  const windows = windowsOf(node);
  const { batch, groups, inputs, outputs, kernel, out } = windows;
  const [x, weight] = node.inputs as [Stored, Stored];
  const k = inputs * kernel[0] * kernel[1];
  const n = out[0] * out[1];
  if (batch * groups * outputs * n === 0 || (groups > 1 && (batch > 1 || inputs === 1))) return undefined;
  const products = batch * groups;
  const a: Matrices = {
    dtype: weight.dtype,
    offset: 0,
    transpose: false,
    rowStride: k,
    batchStrides: [groups > 1 ? outputs * k : 0],
  };
  const shared = {
    m: outputs,
    n,
    k,
    batch: [products],
    a,
    out: { dtype: node.dtype, offset: 0, rowStride: n, batchStrides: [outputs * n] },
  };
  if (isPointwise(windows, node.attributes)) {
    return { product: { ...shared, b: matricesOf(x.dtype, n, k * n, false) } };
  }
  if (products * n * k * byteSize(x.dtype) > limit) return undefined;
  return {
    product: { ...shared, b: matricesOf(x.dtype, k, n * k, true) },
    patches: {
      launch: patches(windows, x.dtype, k, n),
      memory: { shape: [batch, groups, n, k], dtype: x.dtype },
    },
  };
}

/** The product that a transposed convolution with 1 × 1 kernels is; undefined for others. */
export function transposedConvolutionAsMatmul(
  node: StoredNode<ConvTranspose2dAttributes>,
): ConvolutionAsMatmul | undefined {
  const windows = windowsOf(node);
  const { batch, groups, inputs, outputs, out } = windows;
  const [x, weight] = node.inputs as [Stored, Stored];
  const padded = node.attributes.outputPadding.some((each) => each !== 0);
  const n = out[0] * out[1];
  if (batch * groups * outputs * n === 0 || (groups > 1 && batch > 1) || padded) return undefined;
  if (!isPointwise(windows, node.attributes)) return undefined;
  return {
    product: {
      m: outputs,
      n,
      k: inputs,
      batch: [batch * groups],
      a: {
        dtype: weight.dtype,
        offset: 0,
        transpose: true,
        rowStride: outputs,
        batchStrides: [groups > 1 ? inputs * outputs : 0],
      },
      b: matricesOf(x.dtype, n, inputs * n, false),
      out: { dtype: node.dtype, offset: 0, rowStride: n, batchStrides: [outputs * n] },
    },
  };
}

function matricesOf(dtype: DType, rowStride: number, batchStride: number, transpose: boolean): Matrices {
  return { dtype, offset: 0, transpose, rowStride, batchStrides: [batchStride] };
}

function isPointwise({ kernel, stride }: Windows, { padding }: Conv2dAttributes): boolean {
  return [...kernel, ...stride].every((each) => each === 1) && padding.every((each) => each === 0);
}

/** A thread per element of the windows, in the order of memory. */
function patches(windows: Windows, dtype: DType, k: number, n: number): PlannedLaunch {
  const { batch, groups } = windows;
  const total = batch * groups * n * k;
  const body = `
${eachOf(total)}
const int depth = (int)(i % ${k}), position = (int)(i / ${k} % ${n}), image = (int)(i / ${integer(k * n)}) / ${groups}, group = (int)(i / ${integer(k * n)}) % ${groups};
${firstPlaces(windows)}
(void)firstOut;
${windowAt(windows)}
out[i] = from_float<${cTypes[dtype]}>(window_at(depth, position));`;
  return launch({
    name: 'patches',
    parameters: [reads(0, cTypes[dtype], 'x'), writes('temporary0', cTypes[dtype], 'out')],
    body,
    ...spread(total),
  });
}
