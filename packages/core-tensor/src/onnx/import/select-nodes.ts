import type { Model, ModelGraph, ModelNode } from './model.js';
import { operatorName } from './model.js';
import { OnnxError } from './onnx-error.js';
import { operatorNames, operatorOf } from './operators/table.js';
import { namesReadBy } from './sort-nodes.js';

/** A graph that computes no more than the wanted values. */
export function selectNodes(graph: ModelGraph, outputs: readonly string[]): ModelGraph {
  const needed = new Set(outputs);
  const nodes: ModelNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of namesReadBy(node)) needed.add(name);
  }
  return {
    nodes: nodes.reverse(),
    outputs,
    inputs: graph.inputs.filter(({ name }) => needed.has(name)),
    constants: new Map([...graph.constants].filter(([name]) => needed.has(name))),
  };
}

/** @throws OnnxError that lists every operator that is not supported */
export function requireOperators(model: Model, graph: ModelGraph): void {
  const unsupported = new Map<string, ModelNode>();
  for (const node of nodesOf(graph)) {
    if (!operatorOf(node) && !unsupported.has(operatorName(node))) unsupported.set(operatorName(node), node);
  }
  const [first] = unsupported.values();
  if (!first) return;
  const list = [...unsupported].map(([operator, { name }]) => `${operator} (node ${JSON.stringify(name)})`).join(', ');
  const known = operatorNames(first.domain);
  throw new OnnxError({
    operation: 'importOnnx',
    file: model.file,
    node: first.name,
    operator: operatorName(first),
    expected: `operators among ${known.length > 0 ? known.join(', ') : 'those of ONNX and com.microsoft'}`,
    received: list,
    remedy: 'Export the model without them, or ask for an output that does not need them.',
  });
}

function nodesOf({ nodes }: ModelGraph): ModelNode[] {
  return nodes.flatMap((node) => [
    node,
    ...[...node.attributes.values()].flatMap((each) => (each.kind === 'graph' ? nodesOf(each.value) : [])),
  ]);
}
