import { topologicalOrder } from '../autodiff/topology.js';
import type { AnyTypedArray } from '../dtype.js';
import { GraphError } from '../errors.js';
import type { Graph, GraphNode, OperationNode } from '../graph/graph.js';
import { sizeOf } from '../graph/shape.js';
import { simplifyView } from '../graph/views.js';
import type { Tensor } from '../tensor.js';
import type { DeviceBuffer } from './engine.js';

/** How a leaf enters a graph. */
export type Leaf =
  | { readonly kind: 'input' }
  /** Its own host values, or `data`. */
  | { readonly kind: 'constant'; readonly data?: AnyTypedArray }
  | { readonly kind: 'resident'; readonly buffer: DeviceBuffer; readonly version: number };

/** A graph, and the tensors whose values are its arguments, by position. */
export interface BuiltGraph {
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
}

/** Host values up to this many elements are part of a graph's structure. */
export const inlineLimit = 16;

/**
 * The graph that computes `outputs`.
 *
 * @param first tensors that take the first positions, used or not.
 * @param classify how each leaf enters.
 */
export function buildGraph(
  outputs: readonly Tensor[],
  first: readonly Tensor[],
  classify: (leaf: Tensor) => Leaf,
): BuiltGraph {
  const inputs: Tensor[] = [...first];
  const positions = new Map<Tensor, number>(first.map((tensor, position) => [tensor, position]));
  const nodes: GraphNode[] = [];
  const indices = new Map<Tensor, number>();

  const leafNode = (tensor: Tensor): GraphNode => {
    const { shape, dtype, source } = tensor;
    const known = positions.get(tensor);
    if (known !== undefined) return { kind: 'input', position: known, shape, dtype };
    const leaf = classify(tensor);
    if (leaf.kind === 'constant') {
      const data = leaf.data ?? (source.kind === 'host' ? source.data : undefined);
      if (!data)
        throw new GraphError({ operation: 'compile', expected: 'host values for a constant', received: source.kind });
      return { kind: 'constant', data, shape, dtype };
    }
    if (leaf.kind === 'resident')
      return { kind: 'resident', buffer: leaf.buffer.id, version: leaf.version, shape, dtype };
    positions.set(tensor, inputs.length);
    inputs.push(tensor);
    return { kind: 'input', position: inputs.length - 1, shape, dtype };
  };

  // Inside a graph a checkpointed tensor is what its first run computed.
  const through = (tensor: Tensor): readonly Tensor[] => {
    const { source } = tensor;
    if (positions.has(tensor)) return [];
    if (source.kind === 'segment') return [source.segment.outputs[source.index]!];
    return source.kind === 'operation' ? source.inputs : [];
  };
  for (const tensor of topologicalOrder([...first, ...outputs], through)) {
    const { source, shape, dtype } = tensor;
    if (source.kind === 'segment' && !positions.has(tensor)) {
      indices.set(tensor, indices.get(source.segment.outputs[source.index]!)!);
    } else {
      const isOperation = source.kind === 'operation' && !positions.has(tensor);
      const node = isOperation
        ? simplifyView(
            {
              kind: 'operation',
              op: source.op,
              inputs: source.inputs.map((input) => indices.get(input)!),
              attributes: source.attributes,
              shape,
              dtype,
            } as OperationNode,
            nodes,
          )
        : leafNode(tensor);
      indices.set(tensor, typeof node === 'number' ? node : nodes.push(node) - 1);
    }
  }
  const graph = { nodes, inputCount: inputs.length, outputs: outputs.map((output) => indices.get(output)!) };
  return { graph, inputs };
}

/** Whether a leaf's values are few enough to be part of the structure. */
export function isInline(leaf: Tensor): boolean {
  return leaf.source.kind === 'host' && sizeOf(leaf.shape) <= inlineLimit;
}
