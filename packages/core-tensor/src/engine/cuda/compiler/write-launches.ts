import type { OperationNode } from '../../../graph/graph.js';
import type { Lowered, Role, StoredNode } from '../codegen/lowered.js';
import { lowerOpaque } from '../codegen/lowerings.js';
import type { LiveGraph } from './live-graph.js';
import type { KernelStep, Step } from './program-plan.js';
import type { Values } from './values.js';

/** The values that stand for the roles of launches. */
export interface Bindings {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Launches with values in the place of roles.
 *
 * @param held the values of temporaries, if there are some already
 */
export function bindLaunches(
  { launches, temporaries }: Lowered,
  { inputs, outputs }: Bindings,
  values: Values,
  held: readonly number[] = temporaries.map(({ shape, dtype }) => values.temporary(shape, dtype)),
): KernelStep[] {
  const bound = (role: Role): number | 'failure' => {
    if (role === 'failure') return role;
    if (typeof role === 'number') return inputs[role]!;
    if (role.startsWith('temporary')) return held[Number(role.slice('temporary'.length))]!;
    return outputs[Number(role.slice('out'.length) || 0)]!;
  };
  return launches.map(({ kernel, grid, block, sharedBytes, roles, writes }) => ({
    kind: 'kernel',
    kernel,
    grid,
    block,
    sharedBytes,
    arguments: roles.map(bound),
    writes: writes.map((role) => bound(role) as number),
  }));
}

/** A node with how its values are held. */
export function storedNode<Node extends OperationNode>(
  { nodes }: LiveGraph,
  node: Node,
  out: number,
  values: Values,
): StoredNode<Node['attributes']> {
  return {
    inputs: node.inputs.map((input) => ({ shape: nodes[input]!.shape, dtype: values.dtype(values.of(input)) })),
    shape: node.shape,
    dtype: values.dtype(out),
    attributes: node.attributes,
  };
}

/** The launches of a primitive with kernels of its own. */
export function writeOpaque(live: LiveGraph, index: number, values: Values): Step[] {
  const node = live.operation(index)!;
  const out = values.of(index);
  const inputs = node.inputs.map(values.of);
  const lowered = lowerOpaque(node.op, storedNode(live, node, out, values));
  const steps = bindLaunches(lowered, { inputs, outputs: [out] }, values);
  // An update replaces a slice of what is there already.
  return node.op === 'updateSlice' ? [{ kind: 'copy', from: inputs[0]!, to: out, unlessSame: true }, ...steps] : steps;
}
