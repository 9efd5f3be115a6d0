import type { Graph } from '../../graph/graph.js';

/** A result that is an argument with a slice replaced. */
export interface SliceUpdate {
  /** Which result, and which argument. */
  readonly output: number;
  readonly input: number;
  /** Results of the remaining program that hold the slice and its start. */
  readonly update: number;
  readonly start: number;
  readonly axis: number;
}

export interface SplitGraph {
  /** Computes the other results, then slices and starts. */
  readonly graph: Graph;
  /** Result of the whole that each of the other results is. */
  readonly outputs: readonly number[];
  readonly updates: readonly SliceUpdate[];
}

/**
 * Takes slice updates of arguments out of a graph's results. The runtime copies every result out of a run, so that a
 * step of generation would move its whole cache for one token; the slice alone is moved, and written where it belongs.
 */
export function splitSliceUpdates(graph: Graph): SplitGraph {
  const { nodes } = graph;
  const outputs: number[] = [];
  const updates: SliceUpdate[] = [];
  /** Nodes whose values the remaining program returns, and where. */
  const parts = new Map<number, number>();
  const updateOf = (index: number) => {
    const node = nodes[index]!;
    if (node.kind !== 'operation' || node.op !== 'updateSlice') return undefined;
    const whole = nodes[node.inputs[0]!]!;
    return whole.kind === 'input' ? { node, input: whole.position } : undefined;
  };
  const others = graph.outputs.filter((index) => !updateOf(index));
  const place = (index: number) => {
    const known = parts.get(index) ?? others.length + parts.size;
    parts.set(index, known);
    return known;
  };
  graph.outputs.forEach((index, output) => {
    const found = updateOf(index);
    if (!found) {
      outputs.push(output);
      return;
    }
    const { node, input } = found;
    const [update, start] = [place(node.inputs[1]!), place(node.inputs[2]!)];
    updates.push({ output, input, update, start, axis: (node.attributes as { axis: number }).axis });
  });
  return { graph: { ...graph, outputs: [...others, ...parts.keys()] }, outputs, updates };
}
