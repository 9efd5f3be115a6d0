import { dependencies, topologicalOrder } from '../autodiff/topology.js';
import { buildGraph } from '../engine/build-graph.js';
import type { Graph } from '../graph/graph.js';
import type { Tensor } from '../tensor.js';

/** A graph of shapes alone. */
export interface RecordedGraph {
  readonly graph: Graph;
  /** Places of those outputs among the nodes that were asked for as gradients. */
  readonly gradients: ReadonlySet<number>;
}

/**
 * The graph behind tensors, in the order in which a training step would run it: first what `outputs` need, then each
 * gradient as early as it can be had. No values are looked at, so parameters stay unmade.
 */
export function recordGraph(outputs: readonly Tensor[], gradients: readonly Tensor[] = []): RecordedGraph {
  const early = [...gradients].sort(byDepth([...outputs, ...gradients]));
  const { graph } = buildGraph([...outputs, ...early], [], () => ({ kind: 'input' }));
  return { graph, gradients: new Set(graph.outputs.slice(outputs.length)) };
}

/** Compares tensors by the longest way from a leaf to them. */
function byDepth(roots: readonly Tensor[]): (a: Tensor, b: Tensor) => number {
  const depths = new Map<Tensor, number>();
  for (const tensor of topologicalOrder(roots)) {
    depths.set(
      tensor,
      dependencies(tensor).reduce((most, each) => Math.max(most, depths.get(each)! + 1), 0),
    );
  }
  return (a, b) => depths.get(a)! - depths.get(b)!;
}
