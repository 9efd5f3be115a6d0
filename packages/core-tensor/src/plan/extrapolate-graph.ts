import { GraphError } from '../errors.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import type { RecordedGraph } from './record-graph.js';

/**
 * The graph for a size that would take too much to record, such as a sequence whose attention mask alone fills the
 * memory: every axis is an affine function of the size, which two small graphs tell and a third one confirms.
 *
 * Only shapes are extrapolated: attributes and constants are those of a small graph.
 *
 * @param record the graph at a size; it has to consist of the same operations at every size.
 * @throws GraphError if the graphs do not tell the axes at other sizes.
 */
export function extrapolateGraph(record: (size: number) => RecordedGraph, size: number): RecordedGraph {
  const [first, second, third] = [128, 256, 384].map(record) as [RecordedGraph, RecordedGraph, RecordedGraph];
  const at = (wanted: number): GraphNode[] =>
    first.graph.nodes.map((node, index) => {
      const [a, b] = [node.shape, second.graph.nodes[index]?.shape ?? []];
      return { ...node, shape: a.map((axis, i) => axis + ((b[i]! - axis) / 128) * (wanted - 128)) };
    });
  if (describe(at(384)) !== describe(third.graph.nodes)) {
    throw new GraphError({
      operation: 'extrapolateGraph',
      expected: 'the same operations at every size, with axes that grow evenly',
      received: 'graphs that differ otherwise',
      remedy: 'Record the graph at its own size.',
    });
  }
  const graph: Graph = { ...first.graph, nodes: at(size) };
  return { graph, gradients: first.gradients };
}

function describe(nodes: readonly GraphNode[]): string {
  return nodes.map((node) => `${node.kind === 'operation' ? node.op : node.kind}[${node.shape.join()}]`).join(' ');
}
