import { sizeOf } from '../../../graph/shape.js';
import type { Attentions } from './attention.js';
import type { Product, Products } from './epilogues.js';
import { kindOf, rowsOf } from './kinds.js';
import type { LiveGraph } from './live-graph.js';
import type { PlannedMatmul } from './matmul.js';
import { probe, type Read, type Space } from './probe.js';
import type { AttentionPart } from './write-attention.js';

/** Nodes that one kernel computes, or one call of a library. */
export interface Unit {
  readonly id: number;
  kind: 'flat' | 'row' | 'reduce' | 'matmul' | 'attention' | 'opaque';
  space: Space;
  /** What reductions of one kernel have in common. */
  readonly key: string;
  /** Boundaries that it computes, in order. */
  readonly members: number[];
  /** Boundaries and leaves that it reads and does not compute. */
  readonly reads: Set<number>;
  /** Units that have to run before. */
  readonly after: Set<Unit>;
  /** Units before it, one after another. */
  depth: number;
  readonly product?: Product;
  readonly attention?: AttentionPart;
}

/** Members of a kernel at most: registers and parameters are finite. */
const mostMembers = 32;
const mostReads = 48;

export interface UnitsOptions {
  readonly isBoundary: (node: number) => boolean;
  readonly products: Products;
  readonly attentions: Attentions;
  readonly planned: ReadonlyMap<number, PlannedMatmul>;
  /** All nodes are elementwise: one kernel computes them, so that results may be written over arguments. */
  readonly isElementwise: boolean;
}

/** Puts every boundary into a unit: with what it is computed from where one kernel can do both, else into one of its own. */
export function formUnits(graph: LiveGraph, options: UnitsOptions): Unit[] {
  const { nodes, operations, operation, root } = graph;
  const { isBoundary, products, attentions, planned, isElementwise } = options;
  const parts = attentionParts(attentions);
  const units: Unit[] = [];
  const unitOf = new Map<number, Unit>();
  const readers = new Map<number, Set<Unit>>();

  for (const index of operations) {
    if (isBoundary(index) && !products.inner.has(index) && !attentions.inner.has(index)) place(index);
  }
  return units;

  function place(index: number): void {
    const node = operation(index)!;
    const size = sizeOf(node.shape);
    const part = parts.get(index);
    if (part) {
      const computing = units.find(({ attention }) => attention === part);
      if (computing) add(computing, index, []);
      else create(index, { kind: 'attention', attention: part }, readsOfPart(part).flatMap(readsOf));
      return;
    }
    const product = products.byResult.get(index);
    if (product) {
      const { a, b } = planned.get(product.matmul)!;
      const parts = [a.node, b.node, product.bias, product.residual].filter((part) => part !== undefined);
      create(index, { kind: 'matmul', product }, parts.flatMap(readsOf));
      return;
    }
    const kind = kindOf(node, nodes);
    if (size === 0 || kind === 'opaque') {
      create(index, { kind: 'opaque' }, node.inputs.flatMap(readsOf));
      return;
    }
    if (kind === 'row') {
      const space = { kind: 'row' as const, ...rowsOf(node, nodes)! };
      const { reads } = probe(graph, isBoundary, index, space);
      // Sums of all elements would only make each other's readers wait.
      const mayShare = space.rows > 1;
      const candidates = candidatesOf(reads, (unit) => fitsRows(unit, space) && (mayShare || computes(unit, reads)));
      join(index, candidates, reads, space, { kind: 'row', space });
      return;
    }
    if (kind === 'reduce') {
      const { shape } = nodes[node.inputs[0]!]!;
      const key = `${shape.join('x')}/${(node.attributes as { readonly axes: readonly number[] }).axes.join()}`;
      const space = { kind: 'flat' as const, size: sizeOf(shape) };
      const { reads } = probe(graph, isBoundary, index, space);
      // Sums of all elements would only make each other's readers wait.
      const siblings = size === 1 ? [] : candidatesOf(reads, (unit) => unit.kind === 'reduce' && unit.key === key);
      const independent = siblings.filter((unit) => !computes(unit, reads));
      join(index, independent, reads, space, { kind: 'reduce', key, space });
      return;
    }
    const flat = { kind: 'flat' as const, size };
    const { reads } = probe(graph, isBoundary, index, flat);
    const candidates = isElementwise
      ? units
      : candidatesOf(
          reads,
          (unit) => (unit.kind === 'flat' && sizeOfSpace(unit.space) === size) || hasRowsOf(unit, size),
        );
    join(index, candidates, reads, flat, { kind: 'flat', space: flat });
  }

  /** What is read of an operand that is in memory. */
  function readsOf(input: number): Read[] {
    const barrier = operation(input)?.op === 'barrier' ? operation(input)!.inputs.slice(1) : [];
    const read = (node: number, isOrder: boolean) => ({ node: root(node), same: false, ofRow: false, isOrder });
    const further = barrier.length > 0 ? [] : throughBarriers(input);
    return [read(input, false), ...[...barrier, ...further].map((node) => read(node, true))];
  }

  /** What barriers between a node and its root ask for. */
  function throughBarriers(input: number): number[] {
    const node = operation(input);
    if (!node || root(input) === input) return [];
    return [...(node.op === 'barrier' ? node.inputs.slice(1) : []), ...throughBarriers(node.inputs[0]!)];
  }

  /** Units that compute, or read, what a node reads; first those that wait longest, which has nobody else wait for them. */
  function candidatesOf(reads: readonly Read[], fits: (unit: Unit) => boolean): Unit[] {
    const found = new Set<Unit>();
    for (const { node, isOrder } of reads) {
      if (isOrder) continue;
      const computing = unitOf.get(node);
      if (computing) found.add(computing);
      if (sizeOf(nodes[node]!.shape) > 1) for (const unit of readers.get(node) ?? []) found.add(unit);
    }
    return [...found].filter(fits).sort((a, b) => b.depth - a.depth || b.id - a.id);
  }

  function computes(unit: Unit, reads: readonly Read[]): boolean {
    return reads.some(({ node }) => unitOf.get(node) === unit);
  }

  function fitsRows(unit: Unit, space: Space & { readonly kind: 'row' }): boolean {
    if (unit.kind === 'flat')
      return unit.members.every((member) => sizeOf(nodes[member]!.shape) === space.rows * space.width);
    return unit.kind === 'row' && isSameSpace(unit.space, space);
  }

  function hasRowsOf({ kind, space }: Unit, size: number): boolean {
    return kind === 'row' && space.kind === 'row' && (size === space.rows * space.width || size === space.rows);
  }

  function join(index: number, candidates: readonly Unit[], reads: readonly Read[], space: Space, fresh: Fresh): void {
    // With a unit that waits longer than it has to itself, its readers would wait too.
    const depth = 1 + Math.max(-1, ...reads.map(({ node }) => unitOf.get(node)?.depth ?? -1));
    for (const unit of candidates) {
      if (unit.depth > depth) continue;
      if (unit.members.length >= mostMembers || unit.reads.size >= mostReads) continue;
      const shared = unit.space.kind === 'row' || space.kind === 'flat' ? unit.space : space;
      const isRows = shared.kind === 'row' && space.kind === 'flat';
      const own = isRows ? probe(graph, isBoundary, index, shared).reads : reads;
      const inside = own.filter((read) => unitOf.get(read.node) === unit);
      if (!inside.every((read) => (shared.kind === 'row' ? read.ofRow : read.same) && !read.isOrder)) continue;
      const outside = own.filter((read) => unitOf.get(read.node) !== unit);
      if (outside.some((read) => runsAfter(unitOf.get(read.node), unit))) continue;
      if (space.kind === 'row' && unit.kind === 'flat') {
        unit.kind = 'row';
        unit.space = space;
      }
      add(unit, index, outside);
      return;
    }
    create(index, fresh, reads);
  }

  function create(index: number, { kind, space, key = '', product, attention }: Fresh, reads: readonly Read[]): void {
    const unit: Unit = {
      id: units.length,
      kind,
      space: space ?? { kind: 'flat', size: sizeOf(nodes[index]!.shape) },
      key,
      members: [],
      reads: new Set(),
      after: new Set(),
      depth: 0,
      ...(product ? { product } : {}),
      ...(attention ? { attention } : {}),
    };
    units.push(unit);
    add(unit, index, reads);
  }

  function add(unit: Unit, index: number, reads: readonly Read[]): void {
    unit.members.push(index);
    unitOf.set(index, unit);
    for (const { node, isOrder } of reads) {
      const computing = unitOf.get(node);
      if (computing && computing !== unit) {
        unit.after.add(computing);
        unit.depth = Math.max(unit.depth, computing.depth + 1);
      }
      if (isOrder) continue;
      unit.reads.add(node);
      const known = readers.get(node) ?? new Set();
      readers.set(node, known.add(unit));
    }
  }
}

interface Fresh {
  readonly kind: Unit['kind'];
  readonly space?: Space;
  readonly key?: string;
  readonly product?: Product;
  readonly attention?: AttentionPart;
}

/** What computes each result of an attention. */
function attentionParts({ all }: Attentions): ReadonlyMap<number, AttentionPart> {
  const parts = new Map<number, AttentionPart>();
  for (const attention of all) {
    parts.set(attention.out, { attention, direction: 'forward' });
    const backward: AttentionPart = { attention, direction: 'backward' };
    const { dq, dk, dv } = attention.backward ?? {};
    for (const node of [dq, dk, dv]) if (node !== undefined) parts.set(node, backward);
  }
  return parts;
}

function readsOfPart({ attention, direction }: AttentionPart): number[] {
  const { q, k, v, mask, bias, out, backward } = attention;
  const gradient = direction === 'backward' ? [out, backward!.dOut] : [];
  return [q, k, v, mask, bias, ...gradient].filter((node) => node !== undefined);
}

/** Whether a unit has to wait for another, or is it. */
function runsAfter(unit: Unit | undefined, other: Unit): boolean {
  const seen = new Set<Unit>();
  const pending = unit ? [unit] : [];
  for (let each = pending.pop(); each; each = pending.pop()) {
    if (each === other) return true;
    if (seen.has(each)) continue;
    seen.add(each);
    pending.push(...each.after);
  }
  return false;
}

function sizeOfSpace(space: Space): number {
  return space.kind === 'flat' ? space.size : space.rows * space.width;
}

function isSameSpace(a: Space, b: Space): boolean {
  return a.kind === 'row' && b.kind === 'row' && a.rows === b.rows && a.width === b.width;
}
