import type { DType } from '../../../dtype.js';
import type { OperationNode } from '../../../graph/graph.js';
import { type Shape, sizeOf } from '../../../graph/shape.js';
import { createEmitter } from '../codegen/emitter.js';
import {
  type IndexExpression,
  indexStrides,
  linearIndex,
  type Variable,
  variableIndex,
} from '../codegen/index-expression.js';
import { isView, type LiveGraph } from './live-graph.js';

/** An operand of a product as matrices in memory: a node's elements at strides, times a number. */
export interface Operand {
  readonly node: number;
  readonly factor: number;
  readonly offset: number;
  /** Of the batch axes, of rows and of columns. */
  readonly strides: readonly number[];
}

/** Matrices that one call of the library multiplies. */
export interface BatchCall {
  readonly count: number;
  readonly aOffset: number;
  readonly bOffset: number;
  readonly outOffset: number;
  readonly aStride: number;
  readonly bStride: number;
}

/** A product as calls of the library. */
export interface PlannedMatmul {
  readonly a: Operand;
  readonly b: Operand;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly calls: readonly BatchCall[];
}

/** What is known of nodes in memory. */
export interface HeldNodes {
  dtypeOf(node: number): DType;
  /** Whether something else than a generated kernel computes a node, which then is in memory as it is. */
  isComputed(node: number): boolean;
}

/** More calls than this cost more than copying an operand. */
const mostCalls = 16;

/**
 * How a product reads its operands: where they are, through transpositions, slices and repetitions, if the library can
 * step through memory that way; otherwise the operand has to be copied first.
 */
export function planMatmul(graph: LiveGraph, index: number, held: HeldNodes): PlannedMatmul {
  const { nodes, operation } = graph;
  const node = operation(index) as OperationNode<'matmul'>;
  const { transposeA, transposeB } = node.attributes;
  const batch = node.shape.slice(0, -2);
  const [m, n] = node.shape.slice(-2) as [number, number];
  const [first, second] = node.inputs as readonly [number, number];
  const k = nodes[first]!.shape.at(transposeA ? -2 : -1)!;
  const found = [operandOf(graph, first, batch, held), operandOf(graph, second, batch, held)];
  const dense = [denseOperand(graph, first, batch), denseOperand(graph, second, batch)];
  const choices = [
    [found[0], found[1]],
    [found[0], dense[1]],
    [dense[0], found[1]],
    [dense[0], dense[1]],
  ] as const;
  for (const [a, b] of choices) {
    if (!a || !b || !areMatrices(a, transposeA ? [k, m] : [m, k]) || !areMatrices(b, transposeB ? [n, k] : [k, n]))
      continue;
    const calls = batchCalls(batch, a, b, m * n);
    if (calls.length <= mostCalls || (a === dense[0] && b === dense[1])) return { a, b, m, n, k, calls };
  }
  throw new RangeError(`no way to multiply nodes ${first} and ${second}`);
}

/** Whether rows or columns lie together, as the library needs it. */
function areMatrices({ strides }: Operand, [rows, columns]: readonly [number, number]): boolean {
  const [row, column] = strides.slice(-2) as [number, number];
  const fits = (step: number, length: number, along: number, count: number) =>
    (step === 1 || length <= 1) && (along >= length || count <= 1);
  return fits(column, columns, row, rows) || fits(row, rows, column, columns);
}

/** An operand as what it is a view of. */
function operandOf(
  graph: LiveGraph,
  index: number,
  batch: Shape,
  { dtypeOf, isComputed }: HeldNodes,
): Operand | undefined {
  const { nodes, operation } = graph;
  const { variables, coordinates } = elementsOf(nodes[index]!.shape, batch);
  let read: { readonly node: number; readonly place: IndexExpression } | undefined;
  let isPlain = true;
  let factor = 1;
  const emitter = createEmitter({
    nodes,
    stored: () => undefined,
    special: (node, at) => {
      const operator = operation(node);
      if (operator && operator.op !== 'barrier' && isView(operator)) return undefined;
      const scaled = operator && !isComputed(node) ? scaledInput(graph, operator) : undefined;
      if (scaled && isUsedOnce(graph, node) && dtypeOf(scaled.input) === dtypeOf(node)) {
        factor *= scaled.factor;
        const { shape } = nodes[scaled.input]!;
        return emitter.value(scaled.input, at.slice(at.length - shape.length));
      }
      isPlain &&= read === undefined;
      read = { node, place: linearIndex(at, nodes[node]!.shape) };
      return 'x';
    },
  });
  emitter.value(index, coordinates);
  const strides = read && indexStrides(read.place, variables);
  if (!read || !isPlain || !strides || strides.some((stride) => stride < 0)) return undefined;
  // What a view is of may be held with more digits than the view, which then is a copy.
  if (dtypeOf(read.node) !== dtypeOf(index)) return undefined;
  return { node: read.node, factor, offset: read.place.constant, strides };
}

function isUsedOnce({ consumers }: LiveGraph, node: number): boolean {
  return consumers[node]!.length === 1;
}

/** A multiplication with a number, which the library does on the way. */
function scaledInput(
  { nodes }: LiveGraph,
  node: OperationNode,
): { readonly input: number; readonly factor: number } | undefined {
  if (node.op !== 'mul' || node.dtype !== 'float32') return undefined;
  for (const [input, other] of [node.inputs, [...node.inputs].reverse()] as [number, number][]) {
    const number = nodes[other]!;
    const isNumber = number.kind === 'constant' && sizeOf(number.shape) === 1 && number.dtype === 'float32';
    if (
      isNumber &&
      sizeOf(nodes[input]!.shape) === sizeOf(node.shape) &&
      nodes[input]!.shape.length === node.shape.length
    )
      return { input, factor: Number(number.data[0]) };
  }
  return undefined;
}

/** An operand as it is, in row-major order. */
function denseOperand({ nodes }: LiveGraph, index: number, batch: Shape): Operand {
  const { shape } = nodes[index]!;
  const { variables, coordinates } = elementsOf(shape, batch);
  const strides = indexStrides(linearIndex(coordinates, shape), variables)!;
  return { node: index, factor: 1, offset: 0, strides };
}

/** Coordinates of an operand's elements by variables of the product's batch axes, and of its own rows and columns. */
function elementsOf(
  shape: Shape,
  batch: Shape,
): { readonly variables: Variable[]; readonly coordinates: IndexExpression[] } {
  const sizes = [...batch, ...shape.slice(-2)];
  const variables = sizes.map((size, axis): Variable => ({ text: `x${axis}`, size }));
  const offset = sizes.length - shape.length;
  const coordinates = shape.map((size, axis) =>
    size === 1 ? { terms: [], constant: 0 } : variableIndex(variables[axis + offset]!),
  );
  return { variables, coordinates };
}

/** The pairs of matrices of all batch axes, as many in a call as have equal distances. */
function batchCalls(batch: Shape, a: Operand, b: Operand, matrix: number): BatchCall[] {
  let inner = { count: 1, aStride: 0, bStride: 0 };
  let axis = batch.length - 1;
  for (; axis >= 0; axis--) {
    const size = batch[axis]!;
    if (size === 1) continue;
    const [aStride, bStride] = [a.strides[axis]!, b.strides[axis]!];
    if (inner.count === 1) inner = { count: size, aStride, bStride };
    else if (aStride === inner.count * inner.aStride && bStride === inner.count * inner.bStride) {
      inner = { ...inner, count: inner.count * size };
    } else break;
  }
  const outer = batch.slice(0, axis + 1);
  return Array.from({ length: sizeOf(outer) }, (_, position) => {
    let rest = position;
    let [aOffset, bOffset] = [a.offset, b.offset];
    for (let each = outer.length - 1; each >= 0; each--) {
      const coordinate = rest % outer[each]!;
      rest = Math.floor(rest / outer[each]!);
      aOffset += coordinate * a.strides[each]!;
      bOffset += coordinate * b.strides[each]!;
    }
    return { ...inner, aOffset, bOffset, outOffset: position * inner.count * matrix };
  });
}
