import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import { depthwise, depthwiseOfLargeKernel, transposedDepthwise } from './convolution/depthwise.js';
import { firstPlaces, transposedWindowAt, type Windows, windowAt, windowsOf } from './convolution/windows.js';
import { integer, reads, writes } from './launch-text.js';
import { type CudaLowering, nothing, type PlannedLaunch } from './lowered.js';
import { narrowStorage, tiledProduct } from './tiled-product.js';

export {
  type AsMatmulOptions,
  type ConvolutionAsMatmul,
  convolutionAsMatmul,
  transposedConvolutionAsMatmul,
} from './convolution/as-matmul.js';

/** Kernels of one channel with more places than this, and more than there are outputs, are summed by a warp. */
const largeKernel = 64;

/**
 * A convolution by kernels of this package: of one channel directly, others as a product of the weight with windows that are
 * read from the image as they are needed. {@link convolutionAsMatmul} says where cuBLASLt does better.
 */
export const conv2d: CudaLowering<'conv2d'> = (node) => {
  if (sizeOf(node.shape) === 0) return nothing;
  const windows = windowsOf(node);
  const { inputs, kernel, out } = windows;
  const size = kernel[0] * kernel[1];
  if (inputs === 1 && windows.groups > 1) {
    const large = size > largeKernel && size > out[0] * out[1];
    return { launches: [large ? depthwiseOfLargeKernel(node) : depthwise(node)], temporaries: [] };
  }
  return { launches: [convolution(node, windows, 'conv2d', windowAt(windows))], temporaries: [] };
};

/** The transpose of {@link conv2d}; the same ways. */
export const convTranspose2d: CudaLowering<'convTranspose2d'> = (node) => {
  if (sizeOf(node.shape) === 0) return nothing;
  const windows = windowsOf(node);
  if (windows.inputs === 1) return { launches: [transposedDepthwise(node)], temporaries: [] };
  return { launches: [convolution(node, windows, 'conv_transpose2d', transposedWindowAt(windows))], temporaries: [] };
};

type Node = Parameters<typeof conv2d>[0];

function convolution(
  node: Node,
  windows: Windows,
  name: 'conv2d' | 'conv_transpose2d',
  windowText: string,
): PlannedLaunch {
  const { batch, groups, inputs, outputs, kernel, out } = windows;
  const [x, weight] = node.inputs;
  const size = kernel[0] * kernel[1];
  const k = inputs * size;
  const n = out[0] * out[1];
  // Weights are [groups, outputs, inputs, kernel], of a transposed convolution [groups, inputs, outputs, kernel].
  const place =
    name === 'conv2d' ? `row * ${k} + depth` : `(depth / ${size} * ${outputs} + row) * ${size} + depth % ${size}`;
  return tiledProduct({
    name,
    m: outputs,
    n,
    k,
    batch: batch * groups,
    parameters: [
      reads(0, cTypes[x!.dtype], 'x'),
      reads(1, cTypes[weight!.dtype], 'weight'),
      writes('out', cTypes[node.dtype], 'out'),
    ],
    prepare: `const int image = batch / ${groups}, group = batch % ${groups};
${firstPlaces(windows)}
const int64 firstWeight = (int64)group * ${integer(outputs * k)};
${windowText}`,
    a: `to_float(weight[firstWeight + ${place}])`,
    b: 'window_at(depth, column)',
    narrow: narrowStorage(x!.dtype, weight!.dtype),
    store: `out[firstOut + (int64)row * ${integer(n)} + column] = from_float<${cTypes[node.dtype]}>(sum);`,
  });
}
