import type { Graph, GraphNode, OperationNode } from '../../../graph/graph.js';
import type { PrimitiveName } from '../../../primitives/attributes.js';

/** What a graph's outputs need, and who uses it. */
export interface LiveGraph {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly number[];
  /** Operations that some output needs, in order. */
  readonly operations: readonly number[];
  /** `consumers[i]`: the operations that read node i, each once. */
  readonly consumers: readonly (readonly number[])[];
  operation(index: number): OperationNode | undefined;
  /** The node whose elements these are, in the same order: what a reshape is of. */
  root(index: number): number;
}

/** Operations that hand on their first input's elements as they are. */
const aliases: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(['reshape', 'stopGradient', 'barrier']);

export function createLiveGraph({ nodes, outputs }: Pick<Graph, 'nodes' | 'outputs'>): LiveGraph {
  const needed = new Set(outputs);
  const operations: number[] = [];
  const consumers: number[][] = nodes.map(() => []);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (node.kind !== 'operation' || !needed.has(index)) continue;
    operations.unshift(index);
    for (const input of new Set(node.inputs)) {
      needed.add(input);
      consumers[input]!.unshift(index);
    }
  }
  const operation = (index: number) => {
    const node = nodes[index]!;
    return node.kind === 'operation' ? node : undefined;
  };
  const root = (index: number): number => {
    const node = operation(index);
    return node && aliases.has(node.op) ? root(node.inputs[0]!) : index;
  };
  return { nodes, outputs, operations, consumers, operation, root };
}

/** Operations that only say where an element is found. */
export function isView({ op }: OperationNode): boolean {
  return aliases.has(op) || op === 'transpose' || op === 'broadcastTo' || op === 'slice';
}
