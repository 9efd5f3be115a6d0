import { byteSize, isFloating } from '../dtype.js';
import { isElementwiseOperation } from '../graph/elementwise.js';
import type { GraphNode } from '../graph/graph.js';
import { sizeOf } from '../graph/shape.js';
import type { PrimitiveName } from '../primitives/attributes.js';
import type { RecordedGraph } from './record-graph.js';

/** Options of {@link peakActivationBytes}. */
export interface ActivationMemoryOptions {
  /** Bytes of a float among the intermediate values. Default: 4. */
  readonly floatBytes?: number;
}

/** Operations whose result is the memory of their first input under another shape. */
const views: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(['reshape', 'stopGradient', 'barrier']);

/**
 * Most bytes of intermediate values that are alive at once while a graph runs in the order of its nodes: in a graph with
 * gradients this is what the forward pass keeps for the backward pass, and what the latter needs beside.
 *
 * An estimate for an engine that gives memory back after the last use, computes elementwise operations in place, and
 * fuses nothing. Inputs, constants and gradients that are asked for are not counted: they are there anyway.
 */
export function peakActivationBytes(
  { graph: { nodes, outputs }, gradients }: RecordedGraph,
  { floatBytes = 4 }: ActivationMemoryOptions = {},
): number {
  const owners = ownersOf(nodes);
  const lastUse = lastUses(nodes, owners);
  for (const output of outputs) lastUse[owners[output]!] = nodes.length;
  const wanted = new Set([...gradients].map((index) => owners[index]!));
  const bytesOf = (owner: number) => {
    const node = nodes[owner]!;
    return node.kind === 'operation' && !wanted.has(owner) ? bytesOfNode(node, floatBytes) : 0;
  };

  let alive = 0;
  let peak = 0;
  nodes.forEach((node, index) => {
    if (node.kind !== 'operation') return;
    const readers = [...new Set(node.inputs.map((input) => owners[input]!))];
    const freed = readers.reduce((sum, owner) => sum + (lastUse[owner] === index ? bytesOf(owner) : 0), 0);
    const made = owners[index] === index ? bytesOf(index) : 0;
    // In place: the result takes the room of an input that nobody reads any more.
    const shared = isElementwiseOperation(node.op) ? Math.min(freed, made) : 0;
    peak = Math.max(peak, alive + made - shared);
    alive += made - freed;
  });
  return peak;
}

/** For each node the one whose memory it is. */
function ownersOf(nodes: readonly GraphNode[]): number[] {
  const owners: number[] = [];
  nodes.forEach((node, index) => {
    const isView = node.kind === 'operation' && views.has(node.op);
    owners.push(isView ? owners[node.inputs[0]!]! : index);
  });
  return owners;
}

/** For each owner the last node that reads it. */
function lastUses(nodes: readonly GraphNode[], owners: readonly number[]): number[] {
  const last = nodes.map((_, index) => index);
  nodes.forEach((node, index) => {
    if (node.kind !== 'operation') return;
    for (const input of node.inputs) last[owners[input]!] = index;
  });
  return last;
}

function bytesOfNode({ shape, dtype }: GraphNode, floatBytes: number): number {
  return sizeOf(shape) * (isFloating(dtype) ? floatBytes : byteSize(dtype));
}
