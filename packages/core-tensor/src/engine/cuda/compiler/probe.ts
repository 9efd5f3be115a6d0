import { sizeOf } from '../../../graph/shape.js';
import { createEmitter } from '../codegen/emitter.js';
import {
  addIndex,
  divideIndex,
  type IndexExpression,
  indexText,
  linearIndex,
  scaleIndex,
  splitIndex,
  variableIndex,
} from '../codegen/index-expression.js';
import { isRowOperation } from '../codegen/row-operations.js';
import type { LiveGraph } from './live-graph.js';

/** The elements that a kernel goes through: one after another, or row by row. */
export type Space =
  | { readonly kind: 'flat'; readonly size: number }
  | { readonly kind: 'row'; readonly rows: number; readonly width: number };

/** An element of another node that an element of a node is computed from. */
export interface Read {
  readonly node: number;
  /** Whether it is the element at the same place. */
  readonly same: boolean;
  /** Whether it is in the same row, or is the row's; in flat spaces as `same`. */
  readonly ofRow: boolean;
  /** Not read, but to be computed before (see the primitive `barrier`). */
  readonly isOrder: boolean;
}

/** What computing an element takes. */
export interface Probe {
  readonly reads: readonly Read[];
  /** Operations besides. */
  readonly operations: number;
}

/**
 * What an element of a node is computed from, down to nodes for which `isBoundary`; the node itself is computed even if it is
 * one. Found by writing the kernel and looking at what it asks for.
 */
export function probe(
  { nodes, operation, root }: LiveGraph,
  isBoundary: (node: number) => boolean,
  index: number,
  space: Space,
): Probe {
  const reads: Read[] = [];
  let started = false;
  const own = placesOf(space);
  const emitter = createEmitter({
    nodes,
    stored: () => undefined,
    special: (node, coordinates) => {
      if (!started) {
        started = true;
        return undefined;
      }
      const barrier = operation(node)?.op === 'barrier' ? operation(node)!.inputs.slice(1) : [];
      for (const each of barrier) reads.push({ node: root(each), same: false, ofRow: false, isOrder: true });
      if (nodes[node]!.kind === 'operation' && !isBoundary(node)) return undefined;
      const at = indexText(linearIndex(coordinates, nodes[node]!.shape));
      const same = at === indexText(linearIndex(splitIndex(own.element, nodes[node]!.shape), nodes[node]!.shape));
      reads.push({
        node,
        same: same && sizeOf(nodes[node]!.shape) === own.size,
        ofRow: isOfRow(node, coordinates),
        isOrder: false,
      });
      return `read${reads.length}`;
    },
  });
  const isOfRow = (node: number, coordinates: readonly IndexExpression[]): boolean => {
    const { shape } = nodes[node]!;
    const at = linearIndex(coordinates, shape);
    const size = sizeOf(shape);
    if (space.kind === 'flat') return size === space.size && indexText(at) === indexText(own.element);
    const row = indexText(variableIndex({ text: 'row', size: space.rows }));
    if (size === space.rows * space.width) return indexText(divideIndex(at, space.width).quotient) === row;
    return size === space.rows && indexText(at) === row;
  };
  const lines = emitter.block(() => {
    const node = operation(index)!;
    const { shape } = nodes[index]!;
    const place = space.kind === 'row' && sizeOf(shape) === space.rows && space.width !== 1 ? own.row : own.element;
    if (isRowOperation(node)) {
      started = true;
      const x = nodes[node.inputs[0]!]!.shape;
      emitter.value(node.inputs[0]!, splitIndex(own.element, x));
      for (const weight of node.inputs.slice(1)) emitter.value(weight, [splitIndex(own.element, x).at(-1)!]);
    } else {
      emitter.value(index, splitIndex(place, shape));
    }
  });
  return { reads, operations: lines.length };
}

function placesOf(space: Space): {
  readonly element: IndexExpression;
  readonly row: IndexExpression;
  readonly size: number;
} {
  if (space.kind === 'flat') {
    const element = variableIndex({ text: 'i', size: space.size });
    return { element, row: element, size: space.size };
  }
  const row = variableIndex({ text: 'row', size: space.rows });
  const column = variableIndex({ text: 'column', size: space.width });
  return { element: addIndex(scaleIndex(row, space.width), column), row, size: space.rows * space.width };
}
