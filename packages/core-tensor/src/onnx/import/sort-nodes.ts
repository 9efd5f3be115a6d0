import type { Attribute, ModelNode } from './model.js';

/** Names of all values that a node needs, those of graphs that are its attributes included. */
export function namesReadBy({ inputs, attributes }: Pick<ModelNode, 'inputs' | 'attributes'>): string[] {
  return [...inputs, ...[...attributes.values()].flatMap(namesReadIn)];
}

function namesReadIn(attribute: Attribute): string[] {
  if (attribute.kind !== 'graph') return [];
  return [...attribute.value.nodes.flatMap(namesReadBy), ...attribute.value.outputs];
}

/** Why nodes have no order: a value that nothing computes, or that is computed from itself. */
export interface Disorder {
  readonly node: ModelNode;
  readonly missing: string;
}

/**
 * Nodes in an order in which they can be computed; those that are in one stay as they are. ONNX asks for it, but tools
 * that insert conversions append them.
 *
 * @param defined names that are there before any node
 */
export function sortNodes(nodes: readonly ModelNode[], defined: ReadonlySet<string>): ModelNode[] | Disorder {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const sorted: ModelNode[] = [];
  const done = new Set<ModelNode>();
  const begun = new Set<ModelNode>();
  for (const first of nodes) {
    const pending = [first];
    for (let node = pending.at(-1); node; node = pending.at(-1)) {
      if (done.has(node)) {
        pending.pop();
        continue;
      }
      const own = innerNames(node);
      let waitsFor: ModelNode | undefined;
      for (const name of namesReadBy(node)) {
        if (name === '' || defined.has(name) || own.has(name)) continue;
        const producer = producers.get(name);
        if (!producer || (begun.has(producer) && !done.has(producer))) return { node, missing: name };
        if (!done.has(producer)) waitsFor ??= producer;
      }
      if (waitsFor) {
        begun.add(node);
        pending.push(waitsFor);
      } else {
        sorted.push(node);
        done.add(node);
        pending.pop();
      }
    }
  }
  return sorted;
}

/** Names that graphs in a node's attributes define for themselves. */
function innerNames({ attributes }: ModelNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const attribute of attributes.values()) {
    if (attribute.kind !== 'graph') continue;
    const { nodes, constants, inputs } = attribute.value;
    for (const name of constants.keys()) names.add(name);
    for (const { name } of inputs) names.add(name);
    for (const node of nodes) {
      for (const name of [...node.outputs, ...innerNames(node)]) names.add(name);
    }
  }
  return names;
}
