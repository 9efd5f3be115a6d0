import { sizeOf } from '../../../graph/shape.js';
import { kindOf } from './kinds.js';
import type { LiveGraph } from './live-graph.js';
import { probe } from './probe.js';

/** A value that costs at most this to compute again is not worth a place in memory: one full read, a few operations. */
const cheapReads = 1;
const cheapOperations = 16;

/** How many times smaller than the rows it is taken from a node is computed with them. */
const fewElements = 4;

/** Reads at most of one kernel; longer sums are cut. */
const mostReads = 24;

/**
 * Nodes that some kernel computes for others to read, or for its own members. All others are computed wherever they are
 * needed: what has one use, and what is cheaper to compute twice than to write and read.
 *
 * @param required nodes that must be in memory: outputs, operands of products and of kernels of their own
 */
export function findBoundaries(graph: LiveGraph, required: ReadonlySet<number>): (node: number) => boolean {
  const { nodes, operations, operation, consumers } = graph;
  const boundaries = new Set<number>();
  const isBoundary = (index: number) => boundaries.has(index);
  for (const index of operations) {
    const node = operation(index)!;
    const kind = kindOf(node, nodes);
    if (required.has(index) || (kind !== 'view' && kind !== 'inline')) {
      boundaries.add(index);
      continue;
    }
    if (kind === 'view') continue;
    const size = sizeOf(node.shape);
    if (size === 0) continue;
    const { reads, operations: count } = probe(graph, isBoundary, index, { kind: 'flat', size });
    const full = new Set(reads.filter((read) => sizeOf(nodes[read.node]!.shape) * 2 > size).map((read) => read.node));
    const uses = usesOf(index);
    // A few elements of each row: computed with the rows, these need not be in memory.
    if (reads.some((read) => isOfRows(read.node) && sizeOf(nodes[read.node]!.shape) >= fewElements * size)) {
      boundaries.add(index);
      continue;
    }
    const isCheap = full.size <= cheapReads && reads.length <= 4 && count <= cheapOperations;
    if ((uses > 1 && !isCheap) || reads.length > mostReads) boundaries.add(index);
  }
  return isBoundary;

  function isOfRows(index: number): boolean {
    const node = operation(index);
    return node !== undefined && kindOf(node, nodes) === 'row';
  }

  /** Uses through views; a view that is used twice counts twice. */
  function usesOf(index: number): number {
    let uses = 0;
    for (const consumer of consumers[index]!) {
      const node = operation(consumer)!;
      uses += kindOf(node, nodes) === 'view' ? Math.max(1, usesOf(consumer)) : 1;
    }
    return uses;
  }
}
