import type { OperationNode } from '../../../graph/graph.js';
import { convolutionAsMatmul, transposedConvolutionAsMatmul } from '../codegen/convolution.js';
import type { Matrices } from '../codegen/product.js';
import type { LiveGraph } from './live-graph.js';
import type { MatmulStep, MatrixOperand, Step } from './program-plan.js';
import type { Values } from './values.js';
import { bindLaunches, storedNode, writeOpaque } from './write-launches.js';

/** A convolution as a product of the library where it is one, of its windows laid out if need be; else by own kernels. */
export function writeConvolution(live: LiveGraph, index: number, values: Values): Step[] {
  const node = live.operation(index) as OperationNode<'conv2d'> | OperationNode<'convTranspose2d'>;
  const out = values.of(index);
  const found =
    node.op === 'conv2d'
      ? convolutionAsMatmul(storedNode(live, node, out, values))
      : transposedConvolutionAsMatmul(storedNode(live, node, out, values));
  if (!found) return writeOpaque(live, index, values);
  const { product, patches } = found;
  const inputs = node.inputs.map(values.of) as [number, number];
  const windows = patches ? values.temporary(patches.memory.shape, patches.memory.dtype) : inputs[0];
  const laidOut = patches
    ? bindLaunches({ launches: [patches.launch], temporaries: [] }, { inputs, outputs: [out] }, values, [windows])
    : [];
  const matrices = (value: number, { offset, transpose, rowStride, batchStrides }: Matrices): MatrixOperand => ({
    value,
    offset,
    transpose,
    rowStride,
    batchStride: batchStrides[0] ?? 0,
  });
  const { m, n, k, alpha = 1 } = product;
  const step: MatmulStep = {
    kind: 'matmul',
    a: matrices(inputs[1], product.a),
    b: matrices(windows, product.b),
    out: matrices(out, { ...product.out, transpose: false }),
    m,
    n,
    k,
    batch: product.batch[0] ?? 1,
    alpha,
  };
  return [...laidOut, step];
}
