import type { DType } from '../../../dtype.js';
import type { OperationNode } from '../../../graph/graph.js';
import { type Shape, sizeOf } from '../../../graph/shape.js';
import type { KernelStep } from '../compiler/program-plan.js';
import { emittedStep, indexType } from './emitted-step.js';
import { createEmitter, type EmitterContext } from './emitter.js';
import { addIndex, type IndexExpression, scaleIndex, splitIndex, variableIndex } from './index-expression.js';
import type { Store } from './pointwise.js';
import { rowReductions } from './row-operations.js';
import { type ComputeType, computeType } from './scalar-functions.js';

/** How a reduction is spread over a device. */
interface Spread {
  /** Threads along the kept elements, and along the reduced ones. */
  readonly across: number;
  readonly along: number;
  /** Parts that the reduced elements are cut into, each reduced by a block of its own. */
  readonly parts: number;
}

/** Blocks that keep a large device busy. */
const enoughBlocks = 512;

/** Sums or maxima over the same axes of equally shaped nodes, which need not be in memory. */
export interface ReductionGroup {
  readonly stores: readonly Store[];
  /** A value to hold partial results of each store, [parts, kept], where {@link reductionParts} is more than 1. */
  readonly partials: readonly { readonly value: number; readonly dtype: DType }[];
}

/** How many partial results each element of a reduction has: few elements of many would leave most of a device idle. */
export function reductionParts(shape: Shape, axes: readonly number[]): number {
  return spreadOf(shape, axes).parts;
}

/** The type in which partial results are held. */
export function partialType(dtype: DType): DType {
  const type = computeType(dtype);
  return type === 'float' ? 'float32' : type === 'int64' ? 'int64' : 'int32';
}

function spreadOf(shape: Shape, axes: readonly number[]): Spread {
  const reduced = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const kept = sizeOf(shape) / reduced;
  const last = shape.findLastIndex((size) => size > 1);
  // Neighbouring threads read neighbouring elements: along the last axis, kept or reduced.
  const isLastReduced = axes.includes(last) || kept === 1;
  const across = isLastReduced ? 1 : Math.min(32, 2 ** Math.ceil(Math.log2(kept)));
  // Sums are exchanged within whole warps.
  const along = isLastReduced
    ? Math.max(32, Math.min(256, 2 ** Math.ceil(Math.log2(reduced))))
    : Math.max(1, 256 / across);
  const blocks = Math.ceil(kept / across);
  const parts = Math.max(1, Math.min(Math.floor(reduced / (along * 8)), Math.ceil(enoughBlocks / blocks)));
  return { across, along, parts };
}

/** Kernels that reduce over any axes: one, or where the reduced elements are cut into parts, one more to combine those. */
export function reduceSteps(context: EmitterContext, { stores, partials }: ReductionGroup): KernelStep[] {
  const { nodes } = context;
  const first = nodes[stores[0]!.node] as OperationNode<'reduceSum'>;
  const { shape } = nodes[first.inputs[0]!]!;
  const { axes } = first.attributes;
  const spread = spreadOf(shape, axes);
  const reducedShape = axes.map((axis) => shape[axis]!);
  const keptAxes = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const kept = keptAxes.reduce((product, axis) => product * shape[axis]!, 1);
  const reduced = sizeOf(reducedShape);
  const emitter = createEmitter(context);
  const keptIndex = variableIndex({ text: 'i', size: kept });
  const reducedIndex = variableIndex({ text: 'r', size: reduced });
  const keptCoordinates = splitIndex(
    keptIndex,
    keptAxes.map((axis) => shape[axis]!),
  );
  const reducedCoordinates = splitIndex(reducedIndex, reducedShape);
  const coordinates = shape.map((_, axis) =>
    axes.includes(axis) ? reducedCoordinates[axes.indexOf(axis)]! : keptCoordinates[keptAxes.indexOf(axis)]!,
  );
  const totals = stores.map(({ node }) => totalOf(nodes[node] as OperationNode));
  const lines = emitter.block(() => {
    stores.forEach(({ node }, position) => {
      const { reduction } = totals[position]!;
      const [input] = (nodes[node] as OperationNode).inputs;
      const x = emitter.value(input!, coordinates);
      emitter.line(`total${position} = ${reduction.combine(`total${position}`, x)};`);
    });
  });
  const toParts = spread.parts > 1;
  const stored = (index: IndexExpression) =>
    emitter.block(() => {
      stores.forEach(({ node, value, dtype }, position) => {
        const target = toParts ? partials[position]! : { value, dtype };
        emitter.store(target.value, target.dtype, index, resultOf(position), nodes[node]!.dtype);
      });
    });
  const resultOf = (position: number) => {
    const isBool = computeType(nodes[stores[position]!.node]!.dtype) === 'bool' && !toParts;
    return isBool ? `(total${position} != 0)` : `total${position}`;
  };
  const part = variableIndex({ text: 'part', size: spread.parts });
  const target = toParts ? addIndex(scaleIndex(part, kept), keptIndex) : keptIndex;
  const step = emittedStep(
    'reduce',
    emitter,
    reduceBody({ spread, kept, reduced, totals, lines, stored: stored(target), elements: sizeOf(shape) }),
    { grid: [Math.ceil(kept / spread.across), spread.parts, 1], threads: [spread.across, spread.along] },
  );
  return toParts ? [step, combineStep(context, stores, partials, spread.parts, kept)] : [step];
}

interface Total {
  readonly type: ComputeType;
  readonly reduction: ReturnType<typeof rowReductions>[number];
}

function totalOf(node: OperationNode): Total {
  const type = computeType(node.dtype);
  return { type: type === 'bool' ? 'int' : type, reduction: rowReductions(node)[0]! };
}

interface ReduceBody {
  readonly spread: Spread;
  readonly kept: number;
  readonly reduced: number;
  readonly elements: number;
  readonly totals: readonly Total[];
  /** What is done for element `r` of kept element `i`. */
  readonly lines: readonly string[];
  readonly stored: readonly string[];
}

function reduceBody({ spread, kept, reduced, elements, totals, lines, stored }: ReduceBody): string[] {
  const { across, along, parts } = spread;
  const type = indexType(elements);
  const perPart = Math.ceil(reduced / parts);
  const guarded = kept % across !== 0;
  const combined = totals.flatMap(({ type: total, reduction }, position) =>
    across === 1
      ? [`total${position} = over_threads<${reduction.operation}, ${along}>(total${position}, threadIdx.y);`]
      : [
          `__shared__ ${total} shared${position}[${along}][${across}];`,
          `shared${position}[threadIdx.y][threadIdx.x] = total${position};`,
          '__syncthreads();',
          `for (int other = 1; threadIdx.y == 0 && other < ${along}; other++)`,
          `  total${position} = ${reduction.combine(`total${position}`, `shared${position}[other][threadIdx.x]`)};`,
        ],
  );
  return [
    `const ${type} first = (${type})blockIdx.x * ${across} + threadIdx.x;`,
    `const int part = blockIdx.y;`,
    // Threads without an element stay, as all take part in the exchange of sums.
    `const ${type} i = first < ${kept} ? first : ${kept - 1};`,
    ...totals.map(({ type: total, reduction }, position) => `${total} total${position} = ${reduction.initial};`),
    `const ${type} end = ${parts > 1 ? `part == ${parts - 1} ? ${reduced} : (${type})(part + 1) * ${perPart}` : reduced};`,
    `for (${type} r = (${type})part * ${perPart} + threadIdx.y; r < end; r += ${along}) {`,
    ...lines.map((line) => `  ${line}`),
    '}',
    ...combined,
    `if (threadIdx.y == 0${guarded ? ` && first < ${kept}` : ''}) {`,
    ...stored.map((line) => `  ${line}`),
    '}',
  ];
}

/** Adds up the parts of each element, in their order. */
function combineStep(
  context: EmitterContext,
  stores: readonly Store[],
  partials: ReductionGroup['partials'],
  parts: number,
  kept: number,
): KernelStep {
  const { nodes } = context;
  const emitter = createEmitter(context);
  const index = variableIndex({ text: 'i', size: kept });
  const lines = emitter.block(() => {
    stores.forEach(({ node, value, dtype }, position) => {
      const { type, reduction } = totalOf(nodes[node] as OperationNode);
      const partial = partials[position]!;
      const pointer = emitter.read(partial.value, partial.dtype);
      const total = `total${position}`;
      emitter.line(`${type} ${total} = ${reduction.initial};`);
      emitter.line(
        `for (int part = 0; part < ${parts}; part++) ${total} = ${reduction.combine(total, `${pointer}[(${indexType(kept * parts)})part * ${kept} + i]`)};`,
      );
      const isBool = computeType(nodes[node]!.dtype) === 'bool';
      emitter.store(value, dtype, index, isBool ? `(${total} != 0)` : total, nodes[node]!.dtype);
    });
  });
  const type = indexType(kept * parts);
  const body = [
    `const ${type} i = (${type})blockIdx.x * 64 + threadIdx.x;`,
    `if (i < ${kept}) {`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ];
  return emittedStep('combine', emitter, body, { grid: [Math.ceil(kept / 64), 1, 1], threads: [64, 1] });
}
