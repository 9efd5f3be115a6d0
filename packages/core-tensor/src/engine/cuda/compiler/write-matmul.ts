import type { OperationNode } from '../../../graph/graph.js';
import type { Product } from './epilogues.js';
import type { LiveGraph } from './live-graph.js';
import type { Operand, PlannedMatmul } from './matmul.js';
import type { MatmulStep, MatrixOperand, Step } from './program-plan.js';
import type { Values } from './values.js';

/** Calls of the library of products. */
export function writeMatmul(
  { operation }: LiveGraph,
  { matmul, result, bias, residual }: Product,
  { values, planned }: { readonly values: Values; readonly planned: ReadonlyMap<number, PlannedMatmul> },
): Step[] {
  const { transposeA, transposeB } = (operation(matmul) as OperationNode<'matmul'>).attributes;
  const { a, b, m, n, k, calls } = planned.get(matmul)!;
  const out = values.of(result);
  // A sum of no products; what is added to it comes as it is.
  if (k === 0 && bias === undefined) {
    return [
      residual === undefined
        ? { kind: 'fill', value: out, byte: 0 }
        : { kind: 'copy', from: values.of(residual), to: out },
    ];
  }
  return calls.map(
    (call): MatmulStep => ({
      kind: 'matmul',
      a: matrices(a, transposeA, { rows: m, columns: k, offset: call.aOffset, batchStride: call.aStride }),
      b: matrices(b, transposeB, { rows: k, columns: n, offset: call.bOffset, batchStride: call.bStride }),
      out: { value: out, offset: call.outOffset, transpose: false, rowStride: n, batchStride: m * n },
      m,
      n,
      k,
      batch: call.count,
      alpha: a.factor * b.factor,
      ...(bias === undefined ? {} : { bias: values.of(bias) }),
      ...(residual === undefined ? {} : { residual: values.of(residual) }),
    }),
  );

  /** An operand's matrices, `rows` by `columns` as the product sees them. */
  function matrices(
    { node, strides }: Operand,
    swapped: boolean,
    { rows, columns, ...rest }: { rows: number; columns: number } & Pick<MatrixOperand, 'offset' | 'batchStride'>,
  ): MatrixOperand {
    const [first, second] = strides.slice(-2) as [number, number];
    const [row, column] = swapped ? [second, first] : [first, second];
    const isRowMajor = (column === 1 || columns === 1) && (row >= columns || rows === 1);
    const rowStride = isRowMajor ? (rows === 1 ? columns : row) : columns === 1 ? rows : column;
    return { value: values.of(node), transpose: !isRowMajor, rowStride, ...rest };
  }
}
