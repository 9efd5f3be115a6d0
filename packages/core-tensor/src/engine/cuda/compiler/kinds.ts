import { isElementwiseOperation } from '../../../graph/elementwise.js';
import type { GraphNode, OperationNode } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import { isRowOperation } from '../codegen/row-operations.js';
import { isView } from './live-graph.js';

/**
 * How an operation is computed: `inline` wherever its elements are needed, `row` by kernels that see whole rows, `reduce` by
 * kernels that reduce any axes, `matmul` by the library of matrix products, `opaque` by kernels of its own.
 */
export type OperationKind = 'view' | 'inline' | 'row' | 'reduce' | 'matmul' | 'opaque';

export function kindOf(node: OperationNode, nodes: readonly GraphNode[]): OperationKind {
  if (isView(node)) return 'view';
  if (isElementwiseOperation(node.op)) return 'inline';
  switch (node.op) {
    case 'pad':
    case 'concat':
    case 'gather':
    case 'takeAlongAxis':
    case 'randomUniform':
      return 'inline';
    case 'scatterAddAlongAxis':
      return isOneHot(node, nodes) ? 'inline' : 'opaque';
    case 'matmul':
      return 'matmul';
    default:
      // A sum of nothing is a value that is filled in.
      if (!isRowOperation(node) || sizeOf(nodes[node.inputs[0]!]!.shape) === 0) return 'opaque';
      return rowsOf(node, nodes) ? 'row' : 'reduce';
  }
}

/** Whether every line has one update: its elements are the update at one place and 0 elsewhere. */
export function isOneHot(node: OperationNode, nodes: readonly GraphNode[]): boolean {
  return node.op === 'scatterAddAlongAxis' && nodes[node.inputs[0]!]!.shape[node.attributes.axis] === 1;
}

/** Below this, rows this wide leave most of a device idle; they are reduced in parts instead. */
const fewRows = 64;
const wideRow = 4096;

/** Rows and their width, where an operation works on rows of elements that lie together. */
export function rowsOf(
  node: OperationNode,
  nodes: readonly GraphNode[],
): { readonly rows: number; readonly width: number } | undefined {
  const { shape } = nodes[node.inputs[0]!]!;
  const size = sizeOf(shape);
  if (node.op === 'reduceSum' || node.op === 'reduceMax') {
    const { axes } = node.attributes;
    const first = shape.findIndex((length, axis) => length > 1 && axes.includes(axis));
    const isTrailing = first < 0 || shape.every((length, axis) => axis < first || length === 1 || axes.includes(axis));
    if (!isTrailing) return undefined;
    const width = first < 0 ? 1 : sizeOf(shape.slice(first));
    const rows = size / width;
    return rows < fewRows && width > wideRow ? undefined : { rows, width };
  }
  const width = shape.at(-1)!;
  return { rows: size / width, width };
}
