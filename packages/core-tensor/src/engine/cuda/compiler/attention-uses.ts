import { sizeOf } from '../../../graph/shape.js';
import type { LiveGraph } from './live-graph.js';

/** Operations that use a node, also through reshapes. */
export function usesThrough(graph: LiveGraph, index: number): number[] {
  return graph.consumers[index]!.flatMap((use) =>
    graph.operation(use)!.op === 'reshape' ? usesThrough(graph, use) : [use],
  );
}

/** Whether a node is a certain number. */
export function isNumber({ nodes }: LiveGraph, index: number, expected: number): boolean {
  const node = nodes[index]!;
  const isConstant = node.kind === 'constant' && node.dtype === 'float32' && sizeOf(node.shape) === 1;
  return isConstant && node.data[0] === Math.fround(expected);
}
