import type { OperationNode } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import { unpackBnb4, unpackNBits } from '../codegen/quantized.js';
import type { LiveGraph } from './live-graph.js';
import type { MatmulStep, Step } from './program-plan.js';
import type { Values } from './values.js';
import { bindLaunches, storedNode, writeOpaque } from './write-launches.js';

/** Rows from which unpacking a weight once costs less than unpacking it in every tile of the result. */
const manyRows = 65;

/** A product with a weight in few bits: by kernels that read it as it is, or unpacked for the library of products. */
export function writeQuantized(live: LiveGraph, index: number, values: Values): Step[] {
  const node = live.operation(index) as OperationNode<'matmulNBits'> | OperationNode<'matmulBnb4'>;
  const rows = sizeOf(node.shape.slice(0, -1));
  const x = values.of(node.inputs[0]!);
  const out = values.of(index);
  const dtype = values.dtype(x);
  if (rows < manyRows) return writeOpaque(live, index, values);
  const [n, k] = [node.shape.at(-1)!, live.nodes[node.inputs[0]!]!.shape.at(-1)!];
  const lowered =
    node.op === 'matmulNBits'
      ? unpackNBits(storedNode(live, node, out, values), dtype)
      : unpackBnb4(storedNode(live, node, out, values), dtype);
  const weight = values.temporary([n, k], dtype);
  const unpacked = bindLaunches(lowered, { inputs: node.inputs.map(values.of), outputs: [weight] }, values);
  const product: MatmulStep = {
    kind: 'matmul',
    a: { value: x, offset: 0, transpose: false, rowStride: k, batchStride: 0 },
    b: { value: weight, offset: 0, transpose: true, rowStride: k, batchStride: 0 },
    out: { value: out, offset: 0, transpose: false, rowStride: n, batchStride: 0 },
    m: rows,
    n,
    k,
    batch: 1,
    alpha: 1,
  };
  return [...unpacked, product];
}
