import { bfloat16ToFloat32, type DType, float16ToFloat32, isFloating } from '../../../dtype.js';
import { isElementwiseOperation } from '../../../graph/elementwise.js';
import type { GraphNode, OperationNode } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import { cTypes } from './c-types.js';
import {
  addIndex,
  constantIndex,
  type IndexExpression,
  indexText,
  linearIndex,
  scaleIndex,
  splitIndex,
  variableIndex,
} from './index-expression.js';
import { type ComputeType, computeType, converted, formula, literal, settled } from './scalar-functions.js';

/** What a kernel's text is written from. */
export interface EmitterContext {
  readonly nodes: readonly GraphNode[];
  /** Where a node's elements are in memory; undefined where the kernel computes them itself. */
  stored(node: number): { readonly value: number; readonly dtype: DType } | undefined;
  /** The element of a node that this kernel computes in a way of its own, such as a row's sum. */
  special?(node: number, coordinates: readonly IndexExpression[]): string | undefined;
}

/** Writes statements that compute elements of nodes; every element is computed once. */
export interface Emitter {
  /** The C name or literal of a node's element. */
  value(node: number, coordinates: readonly IndexExpression[]): string;
  /** The name of the parameter through which a value is read. */
  read(value: number, dtype: DType): string;
  /** Writes an element to memory, as the given type. */
  store(value: number, dtype: DType, index: IndexExpression, text: string, from: DType): void;
  /** A statement of the caller's. */
  line(text: string): void;
  /**
   * Runs `write` with statements going to a list of their own, which is returned. What it computes is unknown after, or, for
   * one pass of several over the same elements (`pass`), known to later passes, which makes it {@link kept}.
   */
  block(write: () => void, options?: { readonly pass?: boolean }): string[];
  /** Names that a pass defines and a later one uses, with their types. */
  readonly kept: ReadonlyMap<string, ComputeType>;
  /** A name that is not in use. */
  name(): string;
  /** Pointer parameters: values read or written, in order. */
  readonly parameters: readonly Parameter[];
  /** Whether the kernel takes the failure word. */
  readonly mayFail: boolean;
}

/** A pointer parameter of a kernel. */
export interface Parameter {
  readonly value: number;
  readonly dtype: DType;
  readonly written: boolean;
  readonly name: string;
}

export function createEmitter(context: EmitterContext): Emitter {
  const { nodes } = context;
  const parameters = new Map<number, { value: number; dtype: DType; written: boolean; name: string }>();
  const scopes: { lines: string[]; known: Map<string, string> }[] = [{ lines: [], known: new Map() }];
  const passes: Map<string, string>[] = [];
  const kept = new Map<string, ComputeType>();
  /** Names of elements, as opposed to those of the caller, and to literals. */
  const defined = new Set<string>();
  let isPass = false;
  let names = 0;
  let mayFail = false;

  const name = () => `t${names++}`;
  const line = (text: string) => scopes.at(-1)!.lines.push(text);
  const define = (dtype: DType, text: string): string => {
    if (/^[\w.]+$/.test(text)) return text;
    const result = name();
    defined.add(result);
    line(`const ${computeType(dtype)} ${result} = ${text};`);
    return result;
  };
  const parameter = (value: number, dtype: DType, written = false): string => {
    const known = parameters.get(value) ?? { value, dtype, written, name: `v${parameters.size}` };
    known.written ||= written;
    parameters.set(value, known);
    return known.name;
  };
  const block: Emitter['block'] = (write, { pass = isPass } = {}) => {
    const outer = isPass;
    isPass = pass;
    scopes.push({ lines: [], known: new Map() });
    write();
    const { lines, known } = scopes.pop()!;
    if (pass && !outer) passes.push(known);
    isPass = outer;
    return lines;
  };

  const value = (index: number, coordinates: readonly IndexExpression[]): string => {
    const node = nodes[index]!;
    const key = `${index}@${coordinates.map(indexText).join()}`;
    for (const { known } of scopes) {
      const found = known.get(key);
      if (found !== undefined) return found;
    }
    const earlier = isPass ? passes.find((known) => known.has(key))?.get(key) : undefined;
    if (earlier !== undefined) {
      if (defined.has(earlier)) kept.set(earlier, computeType(node.dtype));
      return earlier;
    }
    const text = compute(index, node, coordinates);
    scopes.at(-1)!.known.set(key, text);
    return text;
  };

  const compute = (index: number, node: GraphNode, coordinates: readonly IndexExpression[]): string => {
    const special = context.special?.(index, coordinates);
    if (special !== undefined) return define(node.dtype, special);
    if (node.kind === 'constant' && sizeOf(node.shape) === 1) return literal(scalarOf(node), node.dtype);
    const stored = context.stored(index);
    if (stored) {
      const place = indexText(linearIndex(coordinates, node.shape));
      return define(node.dtype, loaded(`${parameter(stored.value, stored.dtype)}[${place}]`, stored.dtype));
    }
    if (node.kind !== 'operation') throw new RangeError(`node ${index} (${node.kind}) has no place in memory`);
    return operation(node, coordinates);
  };

  const operation = (node: OperationNode, coordinates: readonly IndexExpression[]): string => {
    const [first] = node.inputs;
    switch (node.op) {
      case 'stopGradient':
      case 'barrier':
        return value(first!, coordinates);
      case 'reshape':
        return value(first!, splitIndex(linearIndex(coordinates, node.shape), nodes[first!]!.shape));
      case 'transpose': {
        const moved: IndexExpression[] = [];
        node.attributes.permutation.forEach((axis, position) => {
          moved[axis] = coordinates[position]!;
        });
        return value(first!, moved);
      }
      case 'broadcastTo':
        return value(first!, stretched(nodes[first!]!, coordinates));
      case 'slice': {
        const { starts, steps } = node.attributes;
        const moved = coordinates.map((each, axis) =>
          addIndex(scaleIndex(each, steps[axis]!), constantIndex(starts[axis]!)),
        );
        return value(first!, moved);
      }
      case 'pad':
        return padded(node, coordinates);
      case 'concat':
        return joined(node, coordinates);
      case 'gather':
      case 'takeAlongAxis':
        return indexed(node, coordinates);
      case 'scatterAddAlongAxis':
        return oneHot(node, coordinates);
      case 'randomUniform': {
        const words = [0, 1].map((word) => value(first!, splitIndex(constantIndex(word), nodes[first!]!.shape)));
        const place = indexText(linearIndex(coordinates, node.shape));
        const key = words.map((word) => `unsigned_of(${word})`).join(', ');
        return define('float32', `philox_uniform(${key}, ${node.attributes.stream >>> 0}u, (uint32)${place})`);
      }
      default:
        return elementwise(node, coordinates);
    }
  };

  const elementwise = (node: OperationNode, coordinates: readonly IndexExpression[]): string => {
    if (!isElementwiseOperation(node.op)) throw new RangeError(`${node.op} is no elementwise operation`);
    const operands = node.inputs.map((input) => value(input, stretched(nodes[input]!, coordinates)));
    const from = nodes[node.inputs[0]!]!.dtype;
    if (node.op === 'cast') return define(node.dtype, converted(operands[0]!, from, node.dtype));
    if (node.op === 'div' && !isFloating(from)) mayFail = true;
    // What is chosen by a condition has the result's type; other operands have one type.
    const text = formula(node.op, node.op === 'where' ? node.dtype : from, operands);
    return define(node.dtype, settled(text, node.dtype));
  };

  /** A result by cases: each computes what it needs only where it holds. */
  const byCases = (dtype: DType, cases: readonly { readonly condition: string; readonly text: () => string }[]) => {
    const result = name();
    defined.add(result);
    line(`${computeType(dtype)} ${result};`);
    cases.forEach(({ condition, text }, position) => {
      const lines = block(() => line(`${result} = ${text()};`));
      const isLast = position === cases.length - 1;
      line(`${position > 0 ? 'else ' : ''}${isLast ? '' : `if (${condition}) `}{ ${lines.join(' ')} }`);
    });
    return result;
  };

  const padded = (node: OperationNode<'pad'>, coordinates: readonly IndexExpression[]): string => {
    const [input] = node.inputs;
    const { shape } = nodes[input!]!;
    const { before, after, value: filler } = node.attributes;
    const conditions = coordinates.flatMap((each, axis) => {
      const text = indexText(each);
      return [
        ...(before[axis]! > 0 ? [`${text} >= ${before[axis]}`] : []),
        ...(after[axis]! > 0 ? [`${text} < ${before[axis]! + shape[axis]!}`] : []),
      ];
    });
    const moved = coordinates.map((each, axis) => within(each, -before[axis]!, shape[axis]!));
    if (conditions.length === 0) return value(input!, moved);
    return byCases(node.dtype, [
      { condition: conditions.join(' && '), text: () => value(input!, moved) },
      { condition: '', text: () => literal(filler, node.dtype) },
    ]);
  };

  const joined = (node: OperationNode<'concat'>, coordinates: readonly IndexExpression[]): string => {
    const { axis } = node.attributes;
    const along = indexText(coordinates[axis]!);
    let start = 0;
    const parts = node.inputs.flatMap((input) => {
      const size = nodes[input]!.shape[axis]!;
      const first = start;
      start += size;
      return size > 0 ? [{ input, first, size }] : [];
    });
    return byCases(
      node.dtype,
      parts.map(({ input, first, size }) => ({
        condition: `${along} < ${first + size}`,
        text: () => {
          const moved = coordinates.map((each, i) => (i === axis ? within(each, -first, size) : each));
          return value(input, moved);
        },
      })),
    );
  };

  const indexed = (node: OperationNode, coordinates: readonly IndexExpression[]): string => {
    const { axis } = node.attributes as { readonly axis: number };
    const [x, indices] = node.inputs as readonly [number, number];
    const along = node.op === 'gather';
    const rank = nodes[indices]!.shape.length;
    const place = value(indices, along ? coordinates.slice(axis, axis + rank) : coordinates);
    const size = nodes[x]!.shape[axis]!;
    mayFail = true;
    const checked = define('int32', `(int)checked_index(${place}, ${size}, failure)`);
    const chosen = variableIndex({ text: checked, size });
    const before = coordinates.slice(0, axis);
    const after = coordinates.slice(axis + (along ? rank : 1));
    return value(x, [...before, chosen, ...after]);
  };

  /** Lines with one update each. */
  const oneHot = (node: OperationNode<'scatterAddAlongAxis'>, coordinates: readonly IndexExpression[]): string => {
    const { axis, size } = node.attributes;
    const [indices, updates] = node.inputs as readonly [number, number];
    const ofLine = coordinates.map((each, i) => (i === axis ? constantIndex(0) : each));
    mayFail = true;
    const place = define('int32', `(int)checked_index(${value(indices, ofLine)}, ${size}, failure)`);
    const update = value(updates, ofLine);
    const nothing = literal(0, node.dtype);
    return define(node.dtype, `(${place} == ${indexText(coordinates[axis]!)} ? ${update} : ${nothing})`);
  };

  return {
    value,
    line,
    block,
    kept,
    name,
    read: (stored, dtype) => parameter(stored, dtype),
    store(target, dtype, index, text, from) {
      const pointer = parameter(target, dtype, true);
      const converted = isFloating(dtype) ? `from_float<${cTypes[dtype]}>(${text})` : `(${cTypes[dtype]})(${text})`;
      if (isFloating(dtype) !== isFloating(from)) throw new RangeError(`a value of ${from} stored as ${dtype}`);
      line(`${pointer}[${indexText(index)}] = ${converted};`);
    },
    get parameters() {
      return [...parameters.values()];
    },
    get mayFail() {
      return mayFail;
    },
  };
}

function scalarOf(node: GraphNode & { readonly kind: 'constant' }): number | bigint {
  const [bits] = node.data as unknown as readonly (number | bigint)[];
  if (node.dtype === 'float16') return float16ToFloat32(Uint16Array.of(Number(bits)))[0]!;
  if (node.dtype === 'bfloat16') return bfloat16ToFloat32(Uint16Array.of(Number(bits)))[0]!;
  return bits!;
}

/** Reads an element as the type it is computed in. */
function loaded(text: string, dtype: DType): string {
  if (dtype === 'float32') return text;
  if (isFloating(dtype)) return `to_float(${text})`;
  return dtype === 'bool' ? `(${text} != 0)` : `(${computeType(dtype)})${text}`;
}

/** Coordinates in an input that is broadcast: axes are aligned at the end, those of size 1 stay at 0. */
function stretched({ shape }: GraphNode, coordinates: readonly IndexExpression[]): IndexExpression[] {
  const offset = coordinates.length - shape.length;
  return shape.map((size, axis) => (size === 1 ? constantIndex(0) : coordinates[axis + offset]!));
}

/** A coordinate moved by a constant, known to lie between 0 and size − 1 where it is used. */
function within(index: IndexExpression, offset: number, size: number): IndexExpression {
  const moved = addIndex(index, constantIndex(offset));
  return offset === 0 ? moved : variableIndex({ text: indexText(moved), size });
}
