import { OcelliError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import type { ElementType } from './element-types.js';
import { KnownValues } from './known-values.js';
import type { ModelGraph } from './model.js';
import { NodeContext, type NodeSurroundings } from './node-context.js';
import { constantTensor } from './operators/convert.js';
import { operatorOf } from './operators/table.js';
import type { StoredTensor } from './stored-tensor.js';

/** A constant of a graph as the tensor that stands for it. */
export interface GraphConstant {
  readonly tensor: Tensor;
  readonly stored: StoredTensor;
}

export interface RunOptions {
  readonly file: string | undefined;
  readonly opset: number;
  readonly constants: ReadonlyMap<string, GraphConstant>;
  /** Arguments by name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** Parameters of up to so many elements may decide a shape. */
const shapeElements = 64;

/**
 * Records a graph: its results, in order.
 *
 * @throws OnnxError that names the node
 */
export function runGraph(graph: ModelGraph, { file, opset, constants, inputs }: RunOptions): Tensor[] {
  const known = new KnownValues(inputs.values());
  const narrowTypes = new WeakMap<Tensor, ElementType>();
  const values = new Map<string, Tensor>(inputs);
  for (const [name, { tensor, stored }] of constants) {
    values.set(name, tensor);
    if (tensor.dtype !== stored.type) narrowTypes.set(tensor, stored.type);
    if (tensor.source.kind === 'parameter' && tensor.size <= shapeElements) {
      known.addConstant(tensor, () => constantTensor(stored));
    }
  }
  const surroundings = { file, opset, known, narrowTypes };
  return runNodes(graph, values, surroundings);
}

/** @param values of what is outside of the graph; those of the graph are added to a copy for graphs inside it */
function runNodes(
  { nodes, outputs }: ModelGraph,
  values: Map<string, Tensor>,
  surroundings: Omit<NodeSurroundings, 'run'>,
): Tensor[] {
  const run = (inner: ModelGraph) => {
    const own = [...inner.constants].map(([name, stored]) => [name, constantTensor(stored)] as const);
    return runNodes(inner, new Map([...values, ...own]), surroundings);
  };
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)!));
    const results = record(new NodeContext(node, inputs, { ...surroundings, run }));
    const isConstant = inputs.every((tensor) => !tensor || surroundings.known.isConstant(tensor));
    results.forEach((tensor, index) => {
      if (isConstant) surroundings.known.settle(tensor);
      values.set(node.outputs[index]!, tensor);
    });
  }
  return outputs.map((name) => values.get(name)!);
}

/** The results that a node uses. */
function record(context: NodeContext): Tensor[] {
  const { node } = context;
  try {
    const results = [operatorOf(node)!(context)].flat() as (Tensor | undefined)[];
    context.requireAllRead();
    return node.outputs.slice(0, context.outputCount).map((name, index) => {
      const result = results[index];
      if (result) return result;
      if (name === '') return results.find((each) => each !== undefined)!;
      throw context.refusal(`${results.length} results at most`, `result ${index}, which is not supported`);
    });
  } catch (error) {
    throw explain(context, error);
  }
}

/** Whatever is wrong with a node is said with its name. */
function explain(context: NodeContext, error: unknown): Error {
  if (error instanceof OcelliError) {
    if (error.name === 'OnnxError') return error;
    return context.refusal(error.expected, error.received, error.remedy, error);
  }
  const message = error instanceof Error ? error.message : String(error);
  return context.refusal('a node that can be recorded', message, undefined, error);
}
