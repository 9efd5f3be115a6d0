import type { Graph, GraphNode, OperationNode } from '../../../graph/graph.js';
import { isOneHot } from './kinds.js';
import { createLiveGraph } from './live-graph.js';
import { findNarrow, type Precision } from './storage.js';

/**
 * A graph with the same results that the compiler handles more simply: softmax is taken along the last axis, and the
 * operands of products have the precision in which they are multiplied.
 */
export function rewriteGraph(graph: Graph, precision: Precision): Graph {
  const nodes: GraphNode[] = [];
  const indices: number[] = [];
  const casts = new Map<number, number>();
  const narrow = precision === 'bfloat16' ? findNarrow(createLiveGraph(graph)) : undefined;
  const push = (node: GraphNode): number => nodes.push(node) - 1;

  /** An operand as bfloat16, once for all its uses. */
  const narrowed = (original: number): number => {
    const index = indices[original]!;
    const { shape, dtype } = nodes[index]!;
    if (dtype !== 'float32' || narrow!.holds(original)) return index;
    const known = casts.get(index);
    if (known !== undefined) return known;
    const attributes = { dtype: 'bfloat16' } as const;
    const cast = push({ kind: 'operation', op: 'cast', inputs: [index], attributes, shape, dtype: 'bfloat16' });
    casts.set(index, cast);
    return cast;
  };

  graph.nodes.forEach((node, original) => {
    if (node.kind !== 'operation') {
      indices.push(push(node));
      return;
    }
    const isProduct = node.op === 'matmul' || node.op === 'conv2d' || node.op === 'convTranspose2d';
    // Numbers that are computed from positions alone keep their precision.
    const narrows = isProduct && narrow?.multiplies(original);
    const line = sumOfOneHot(node);
    if (line !== undefined) {
      const { shape, dtype } = node;
      indices.push(
        push({ kind: 'operation', op: 'reshape', inputs: [indices[line]!], attributes: { shape }, shape, dtype }),
      );
      return;
    }
    const inputs = node.inputs.map((input) => (narrows ? narrowed(input) : indices[input]!));
    const moved = { ...node, inputs } as OperationNode;
    indices.push(
      (moved.op === 'softmax' || moved.op === 'logSoftmax') && moved.attributes.axis !== moved.shape.length - 1
        ? alongLast(moved)
        : push(moved),
    );
  });
  return { nodes, inputCount: graph.inputCount, outputs: graph.outputs.map((output) => indices[output]!) };

  /** The updates that a sum over lines with one update each gives back. */
  function sumOfOneHot(node: OperationNode): number | undefined {
    if (node.op !== 'reduceSum') return undefined;
    const lines = graph.nodes[node.inputs[0]!]!;
    const isWhole = lines.kind === 'operation' && isOneHot(lines, graph.nodes);
    if (!isWhole || lines.op !== 'scatterAddAlongAxis' || node.attributes.axes.join() !== String(lines.attributes.axis))
      return undefined;
    return lines.inputs[1];
  }

  function alongLast(node: OperationNode<'softmax' | 'logSoftmax'>): number {
    const { axis } = node.attributes;
    const permutation = node.shape.map((_, each) => each).filter((each) => each !== axis);
    permutation.push(axis);
    const there = push(transposed(node.inputs[0]!, permutation));
    const { shape } = nodes[there]!;
    const attributes = { axis: shape.length - 1 };
    const soft = push({ ...node, inputs: [there], attributes, shape });
    return push(
      transposed(
        soft,
        permutation.map((_, each) => permutation.indexOf(each)),
      ),
    );
  }

  function transposed(input: number, permutation: readonly number[]): OperationNode {
    const { shape, dtype } = nodes[input]!;
    const moved = permutation.map((axis) => shape[axis]!);
    return { kind: 'operation', op: 'transpose', inputs: [input], attributes: { permutation }, shape: moved, dtype };
  }
}
