import { sizeOf } from '../../../graph/shape.js';
import type { LiveGraph } from './live-graph.js';

/** Operations that use a node, also through reshapes. */
export function usesThrough({ consumers, operation }: LiveGraph, index: number): number[] {
  return consumers[index]!.flatMap((use) =>
    operation(use)!.op === 'reshape' ? usesThrough({ consumers, operation } as LiveGraph, use) : [use],
  );
}

/** Whether a node is a number, and which. */
export function isNumber({ nodes }: LiveGraph, index: number, expected: number): boolean {
  const node = nodes[index]!;
  return node.kind === 'constant' && sizeOf(node.shape) === 1 && Number(node.data[0]) === Math.fround(expected);
}
