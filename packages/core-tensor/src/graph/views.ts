import type { GraphNode, OperationNode } from './graph.js';
import { type Shape, sameShape } from './shape.js';

/** Whether a transposition leaves every element where it is: axes that are longer than 1 keep their order. */
function keepsOrder(permutation: readonly number[], shape: Shape): boolean {
  const moved = permutation.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
}

function isView(node: OperationNode, input: GraphNode): boolean {
  return node.op === 'reshape' || (node.op === 'transpose' && keepsOrder(node.attributes.permutation, input.shape));
}

/**
 * A node that only gives its input another shape, as one reshape of what a chain of such nodes starts from; an index
 * where that has the shape already. Other nodes as they are. A layer of a decoder at one token has 20 views in chains
 * of two or three.
 */
export function simplifyView(node: OperationNode, nodes: readonly GraphNode[]): OperationNode | number {
  if (node.inputs.length !== 1 || !isView(node, nodes[node.inputs[0]!]!)) return node;
  let start = node.inputs[0]!;
  for (let each = nodes[start]!; each.kind === 'operation' && each.op === 'reshape'; each = nodes[start]!) {
    start = each.inputs[0]!;
  }
  const { shape, dtype } = node;
  if (sameShape(nodes[start]!.shape, shape)) return start;
  return { kind: 'operation', op: 'reshape', inputs: [start], attributes: { shape }, shape, dtype };
}
