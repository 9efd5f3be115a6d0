import type { OperationNode } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import type { KernelStep } from '../compiler/program-plan.js';
import { emittedStep, indexType } from './emitted-step.js';
import { createEmitter, type Emitter, type EmitterContext } from './emitter.js';
import {
  addIndex,
  divideIndex,
  type IndexExpression,
  indexText,
  linearIndex,
  scaleIndex,
  splitIndex,
  variableIndex,
} from './index-expression.js';
import type { Store } from './pointwise.js';
import { isRowOperation, type RowReduction, rowReductions, rowResult } from './row-operations.js';
import { computeType } from './scalar-functions.js';

/** Nodes over `rows` rows of `width` elements, among them reductions of rows, and nodes with an element a row. */
export interface RowGroup {
  readonly rows: number;
  readonly width: number;
  readonly stores: readonly Store[];
}

/** Elements of a row that a thread computes at most without reading them again for each pass. */
const mostKept = 16;

/**
 * A kernel that computes whole rows: normalizations, softmax and sums of rows with all that is elementwise before and after
 * them. A row belongs to a group of threads; every pass over it ends with the reductions whose elements are known by then,
 * and elements that a later pass needs stay in registers.
 */
export function rowStep(context: EmitterContext, { rows, width, stores }: RowGroup): KernelStep {
  const { nodes } = context;
  const threads = threadsPerRow(width);
  // Sums over more than a warp take the whole block.
  const rowsPerBlock = threads <= 32 ? 128 / threads : 1;
  const perThread = Math.ceil(width / threads);
  const row = variableIndex({ text: 'row', size: rows });
  const column = variableIndex({ text: 'column', size: width });
  const element = addIndex(scaleIndex(row, width), column);

  const results = new Map<string, string>();
  const levels = createLevels(context);
  const emitter: Emitter = createEmitter({
    ...context,
    special: (index, coordinates) => {
      const node = nodes[index]!;
      if (node.kind !== 'operation' || !isRowOperation(node) || context.stored(index)) return undefined;
      requireOwnRow(node, coordinates);
      return rowResult(node, {
        reduced: (position) => results.get(`${index}:${position}`)!,
        input: (input, ofRow = false) =>
          emitter.value(node.inputs[input]!, ofRow ? lastAxis(coordinates) : coordinates),
      });
    },
  });
  const requireOwnRow = (node: OperationNode, coordinates: readonly IndexExpression[]) => {
    const place = linearIndex(coordinates, node.shape);
    const read = sizeOf(node.shape) === rows && width !== 1 ? place : divideIndex(place, width).quotient;
    if (indexText(read) === indexText(row)) return;
    throw new RangeError(`${node.op} of one row is read from another: ${indexText(place)}`);
  };

  const needed = neededReductions(context, stores);
  const passes = 1 + Math.max(...stores.map(({ node }) => levels(node)), ...needed.map(({ level }) => level));
  const keeps = perThread <= mostKept;
  /** Statements, and loops over a thread's elements as lists of their lines. */
  const body: (string | string[])[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const reductions = needed.filter(({ level }) => level === pass);
    const full = stores.filter(({ node }) => sizeOf(nodes[node]!.shape) !== rows || width === 1);
    const stored = full.filter(({ node }) => levels(node) === pass);
    for (const { name, reduction, type } of reductions) body.push(`${type} ${name} = ${reduction.initial};`);
    if (reductions.length + stored.length > 0) {
      const lines = emitter.block(
        () => {
          for (const { node, name, reduction } of reductions) {
            const coordinates = splitIndex(element, nodes[node.inputs[0]!]!.shape);
            const x = emitter.value(node.inputs[0]!, coordinates);
            const earlier = (position: number) => results.get(`${node.index}:${position}`)!;
            emitter.line(`${name} = ${reduction.combine(name, reduction.element(x, earlier))};`);
          }
          for (const { node, value, dtype } of stored) {
            const text = emitter.value(node, splitIndex(element, nodes[node]!.shape));
            emitter.store(value, dtype, element, text, nodes[node]!.dtype);
          }
        },
        { pass: keeps },
      );
      const guarded = rows % rowsPerBlock !== 0 && stored.length > 0;
      body.push(loop(lines, { width, threads, perThread, guarded }));
    }
    for (const { node, name, reduction, position } of reductions) {
      const result = emitter.name();
      const total = `over_threads<${reduction.operation}, ${threads}>(${name}, lane)`;
      body.push(`const auto ${result} = ${reduction.finish(total, width)};`);
      results.set(`${node.index}:${position}`, result);
    }
  }
  const registers = [...emitter.kept].map(([name, type]) => `${type} ${name}[${perThread}];`);
  const kept = body.flatMap((each) => (typeof each === 'string' ? [each] : inRegisters(each, emitter.kept)));
  const statements = [...registers, ...kept, ...storesOfRows()];
  return emittedStep('row', emitter, [...header(statements), ...statements], {
    grid: [Math.ceil(rows / rowsPerBlock), 1, 1],
    threads: [threads * rowsPerBlock, 1],
  });

  function header(statements: readonly string[]): string[] {
    const type = indexType(rows * width);
    const first = `(${type})blockIdx.x${rowsPerBlock > 1 ? ` * ${rowsPerBlock} + threadIdx.x / ${threads}` : ''}`;
    const lane = rowsPerBlock > 1 ? `threadIdx.x % ${threads}` : 'threadIdx.x';
    const isWhole = rows % rowsPerBlock === 0;
    const declared = [
      ...(isWhole ? [] : [`const bool inside = ${first} < ${rows};`]),
      // Threads without a row stay, as all take part in the exchange of sums.
      `const ${type} row = ${isWhole ? first : `inside ? ${first} : ${rows - 1}`};`,
      `const int lane = ${lane};`,
    ];
    const isUsed = (line: string) => {
      const name = line.split(' ')[2]!;
      return [...declared, ...statements].some((other) => other !== line && new RegExp(`\\b${name}\\b`).test(other));
    };
    return declared.filter(isUsed);
  }

  function storesOfRows(): string[] {
    const ofRows = stores.filter(({ node }) => sizeOf(nodes[node]!.shape) === rows && width !== 1);
    if (ofRows.length === 0) return [];
    const lines = emitter.block(() => {
      for (const { node, value, dtype } of ofRows) {
        const text = emitter.value(node, splitIndex(row, nodes[node]!.shape));
        emitter.store(value, dtype, row, text, nodes[node]!.dtype);
      }
    });
    const inside = rows % rowsPerBlock === 0 ? '' : ' && inside';
    return [`if (lane == 0${inside}) {`, ...lines.map((line) => `  ${line}`), '}'];
  }

  function neededReductions(inside: EmitterContext, wanted: readonly Store[]): NeededReduction[] {
    const found: NeededReduction[] = [];
    const seen = new Set<number>();
    const visit = (index: number, isRoot = false): void => {
      const node = nodes[index]!;
      if (seen.has(index) || node.kind !== 'operation' || (!isRoot && inside.stored(index))) return;
      seen.add(index);
      for (const input of node.inputs) visit(input);
      if (!isRowOperation(node)) return;
      const type = computeType(node.dtype) === 'bool' ? 'int' : computeType(node.dtype);
      rowReductions(node).forEach((reduction, position) => {
        const level = levels(node.inputs[0]!) + position;
        const indexed = { ...node, index };
        found.push({ node: indexed, reduction, position, level, type, name: emitter.name() });
      });
    };
    for (const { node } of wanted) visit(node, true);
    return found;
  }
}

interface NeededReduction {
  readonly node: OperationNode & { readonly index: number };
  readonly reduction: RowReduction;
  readonly position: number;
  /** Pass in which its elements are known. */
  readonly level: number;
  readonly type: string;
  /** Of a thread's part. */
  readonly name: string;
}

/** Passes over a row that come before a node's elements are known. */
function createLevels({ nodes, stored }: EmitterContext): (node: number) => number {
  const known = new Map<number, number>();
  const levelOf = (index: number): number => {
    const found = known.get(index);
    if (found !== undefined) return found;
    const node = nodes[index]!;
    const inputs = node.kind === 'operation' && !stored(index) ? node.inputs : [];
    const own = node.kind === 'operation' && !stored(index) && isRowOperation(node) ? rowReductions(node).length : 0;
    const level = own + Math.max(0, ...inputs.map(levelOf));
    known.set(index, level);
    return level;
  };
  return levelOf;
}

/** A power of two such that each thread has about eight elements. */
function threadsPerRow(width: number): number {
  return Math.min(1024, 2 ** Math.ceil(Math.log2(Math.max(1, Math.ceil(width / 8)))));
}

interface LoopShape {
  readonly width: number;
  readonly threads: number;
  readonly perThread: number;
  readonly guarded: boolean;
}

function loop(lines: readonly string[], { width, threads, perThread, guarded }: LoopShape): string[] {
  const covered = perThread * threads === width;
  const conditions = [...(covered ? [] : [`column < ${width}`]), ...(guarded ? ['inside'] : [])];
  return [
    perThread <= mostKept ? '#pragma unroll' : '#pragma unroll 4',
    `for (int k = 0; k < ${perThread}; k++) {`,
    ...(lines.some((line) => /\bcolumn\b/.test(line)) || conditions.length > 0
      ? [`  const int column = k * ${threads} + lane;`]
      : []),
    ...(conditions.length > 0 ? [`  if (${conditions.join(' && ')}) {`] : []),
    ...lines.map((line) => `    ${line}`),
    ...(conditions.length > 0 ? ['  }'] : []),
    '}',
  ];
}

/** Lines of a loop over k in which some names are arrays over k, declared outside. */
function inRegisters(lines: readonly string[], kept: ReadonlyMap<string, string>): string[] {
  return lines.flatMap((line) => {
    const declared = line.match(/^ *(?:const )?\w+ (t\d+)( =|;)/);
    const isKept = declared !== null && kept.has(declared[1]!);
    if (isKept && declared[2] === ';') return [];
    const text = isKept ? line.replace(/^( *)(?:const )?\w+ /, '$1') : line;
    return [text.replace(/\bt\d+\b/g, (name) => (kept.has(name) ? `${name}[k]` : name))];
  });
}

/** Coordinates of a weight [width] for an element [..., width]. */
function lastAxis(coordinates: readonly IndexExpression[]): IndexExpression[] {
  return [coordinates.at(-1)!];
}
