import { byteSize, type DType } from '../../../dtype.js';
import { isElementwise } from '../../../graph/elementwise.js';
import type { Graph } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import { widestHead } from '../codegen/attention.js';
import { planArena } from './arena.js';
import { type Attentions, findAttentions } from './attention.js';
import { findBoundaries } from './boundaries.js';
import { findProducts, type Products } from './epilogues.js';
import { kindOf } from './kinds.js';
import { createLiveGraph, type LiveGraph } from './live-graph.js';
import { type PlannedMatmul, planMatmul } from './matmul.js';
import { orderUnits } from './order.js';
import { withOwnProducts } from './own-products.js';
import type { CopyStep, Place, PlannedValue, ProgramPlan, Step } from './program-plan.js';
import { rewriteGraph } from './rewrite.js';
import { protectArguments } from './slice-updates.js';
import { valuesOf } from './step-values.js';
import { findNarrow, type Precision } from './storage.js';
import { formUnits, type Unit } from './units.js';
import { createValues, type Values } from './values.js';
import { joinVectorProducts } from './vector-products.js';
import { writeUnit } from './write-unit.js';

/** How {@link planProgram} plans. */
export interface PlanOptions {
  readonly precision: Precision;
  /** Whether there is a library of products; kernels of this package multiply where there is none. Default: true. */
  readonly hasProducts?: boolean;
}

/**
 * What a graph becomes on a CUDA device: which values are in memory and where, which kernels and products compute them, in
 * which order. Elementwise operations are computed where their results are needed, together with the rows, sums and copies
 * they belong to.
 *
 * @throws GraphError where kernels cannot be put in order, which no graph should lead to.
 */
export function planProgram(original: Graph, { precision, hasProducts = true }: PlanOptions): ProgramPlan {
  const graph = rewriteGraph(original, precision);
  const live = createLiveGraph(graph);
  const narrow = precision === 'bfloat16' ? findNarrow(live) : undefined;
  const dtypeOf = (index: number): DType => (narrow?.holds(index) ? 'bfloat16' : live.nodes[live.root(index)]!.dtype);
  const attentions = findAttentions(live, dtypeOf, ({ width }) => width <= widestHead);
  const ofAttentions = attentionResults(attentions);
  const planned = new Map(
    live.operations
      .filter((index) => live.operation(index)!.op === 'matmul')
      .filter((index) => !ofAttentions.has(index) && !attentions.inner.has(index))
      .map((index) => [index, planMatmul(live, index, { dtypeOf, isComputed: (node) => ofAttentions.has(node) })]),
  );
  const products = findProducts(live, dtypeOf, (index) => planned.has(index));
  const isBoundary = findBoundaries(live, requiredNodes(live, planned, products, attentions));
  const units = formUnits(live, { isBoundary, products, attentions, planned, isElementwise: isElementwise(graph) });
  const { after, snapshots } = protectArguments(live, units);
  const ordered = orderUnits(units, after);
  const stored = storedNodes(live, ordered);
  const isConstant = constantUnits(live, ordered);

  const values = createValues(live, {
    dtypeOf,
    readAtRun: readAtRun(live, ordered, isConstant),
    isConstant,
    units,
  });
  const copied = snapshots.map(
    (node): CopyStep => ({ kind: 'copy', from: values.of(node), to: values.snapshot(node) }),
  );
  const preparation: Step[] = [];
  const steps: Step[] = [...copied];
  const statistics = new Map<number, number>();
  for (const unit of ordered) {
    const written = writeUnit(live, unit, { values, planned, stored, statistics });
    (isConstant(unit) ? preparation : steps).push(...written);
  }
  const outputs = graph.outputs.map((index, position) => values.output(index, position, steps));
  const joined = joinVectorProducts(steps, values);
  return hasProducts
    ? placed(values.all, preparation, joined, outputs)
    : placed(values.all, withOwnProducts(preparation, values), withOwnProducts(joined, values), outputs);
}

/** Nodes that attentions compute. */
function attentionResults({ all }: Attentions): ReadonlySet<number> {
  return new Set(
    all
      .flatMap(({ out, backward }) => [out, backward?.dq, backward?.dk, backward?.dv])
      .filter((node) => node !== undefined),
  );
}

/** Nodes that have to be in memory, because something else than a generated kernel reads them. */
function requiredNodes(
  { nodes, operations, operation, outputs, root }: LiveGraph,
  planned: ReadonlyMap<number, PlannedMatmul>,
  { byResult, inner }: Products,
  attentions: Attentions,
): ReadonlySet<number> {
  const required = new Set(outputs.map(root));
  for (const index of operations) {
    const node = operation(index)!;
    if (node.op === 'barrier') for (const input of node.inputs) required.add(root(input));
    if (kindOf(node, nodes) === 'opaque') for (const input of node.inputs) required.add(root(input));
  }
  for (const { a, b } of planned.values()) for (const { node } of [a, b]) required.add(root(node));
  for (const { result, residual } of byResult.values()) {
    required.add(result);
    if (residual !== undefined) required.add(residual);
  }
  for (const { q, k, v, mask, bias, out, backward } of attentions.all) {
    const { dOut, dq, dk, dv } = backward ?? {};
    for (const node of [q, k, v, mask, bias, out, dOut, dq, dk, dv]) if (node !== undefined) required.add(node);
  }
  for (const index of [...inner, ...attentions.inner]) required.delete(index);
  return required;
}

/** Members that other units read, or that are results. */
function storedNodes({ outputs, root }: LiveGraph, units: readonly Unit[]): ReadonlySet<number> {
  const stored = new Set(outputs.map(root));
  for (const { reads } of units) for (const node of reads) stored.add(node);
  for (const { kind, members } of units)
    if (kind === 'opaque' || kind === 'matmul' || kind === 'attention') for (const node of members) stored.add(node);
  return stored;
}

/** Units that compute the same at every run: from constants and frozen parameters alone. */
function constantUnits({ nodes }: LiveGraph, units: readonly Unit[]): (unit: Unit) => boolean {
  const constant = new Set<number>();
  const found = new Set<Unit>();
  for (const unit of units) {
    const isConstant = [...unit.reads].every((node) => {
      const { kind } = nodes[node]!;
      return kind === 'constant' || kind === 'resident' || constant.has(node);
    });
    if (!isConstant) continue;
    found.add(unit);
    for (const node of unit.members) constant.add(node);
  }
  return (unit) => found.has(unit);
}

/** Nodes that units read which are computed at every run, and results. */
function readAtRun(
  { outputs, root }: LiveGraph,
  units: readonly Unit[],
  isConstant: (unit: Unit) => boolean,
): ReadonlySet<number> {
  const read = new Set(outputs.map(root));
  for (const unit of units) if (!isConstant(unit)) for (const node of unit.reads) read.add(node);
  return read;
}

/** Gives intermediate values their places, which they keep from the step that writes them to the last that reads them. */
function placed(
  values: Values['all'],
  preparation: readonly Step[],
  steps: readonly Step[],
  outputs: readonly number[],
): ProgramPlan {
  const spans = new Map<number, { first: number; last: number }>();
  [...preparation, ...steps].forEach((step, time) => {
    for (const value of valuesOf(step)) {
      const span = spans.get(value) ?? { first: time, last: time };
      span.last = time;
      spans.set(value, span);
    }
  });
  const temporary = [...spans.keys()].filter((value) => values[value]!.place === undefined);
  const lifetimes = temporary.map((value) => {
    const { shape, dtype } = values[value]!;
    return { bytes: sizeOf(shape) * byteSize(dtype), ...spans.get(value)! };
  });
  const { offsets, bytes } = planArena(lifetimes);
  const offsetOf = new Map(temporary.map((value, position) => [value, offsets[position]!]));
  const keys = sharedKeys(values, preparation);
  const all = values.map(({ shape, dtype, place }, index): PlannedValue => {
    const key = keys.get(index);
    const own: Place | undefined = key === undefined ? place : { kind: 'shared', key };
    const known = own ?? { kind: 'arena', offset: offsetOf.get(index) ?? 0 };
    return { shape, dtype, place: known };
  });
  return { values: all, preparation, steps, outputs, arenaBytes: bytes };
}

/** What one kernel computes from one frozen parameter is named by both: programs need it once. */
function sharedKeys(values: Values['all'], preparation: readonly Step[]): ReadonlyMap<number, string> {
  const keys = new Map<number, string>();
  for (const step of preparation) {
    if (step.kind !== 'kernel' || step.arguments.length !== 2) continue;
    const [from, to] = step.arguments as readonly (number | 'failure')[];
    if (typeof from !== 'number' || typeof to !== 'number' || step.writes.join() !== String(to)) continue;
    const [source, target] = [values[from]!.place, values[to]!.place];
    if (source?.kind !== 'resident' || target?.kind !== 'prepared') continue;
    keys.set(to, `${step.kernel.name}(${source.buffer}@${source.version})`);
  }
  return keys;
}
