import type { DType } from '../../../dtype.js';
import type { Shape } from '../../../graph/shape.js';
import type { LiveGraph } from './live-graph.js';
import type { Place, Step } from './program-plan.js';
import type { Unit } from './units.js';

/** A value whose place, if it has none yet, is to be found in the arena. */
interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly place: Place | undefined;
}

/** The values of a program, by the nodes whose elements they hold. */
export interface Values {
  readonly all: readonly Value[];
  /** The value that holds a node's elements. */
  of(node: number): number;
  dtype(value: number): DType;
  /** Memory for the time between two steps. */
  temporary(shape: Shape, dtype: DType): number;
  /** Where an argument is copied to before anything runs; from then on it is read there. */
  snapshot(node: number): number;
  /** The value of a result: the node's own, or a copy, which is told to `steps`. */
  output(node: number, position: number, steps: Step[]): number;
}

export interface ValuesOptions {
  readonly dtypeOf: (node: number) => DType;
  /** Nodes that are read at every run. */
  readonly readAtRun: ReadonlySet<number>;
  readonly isConstant: (unit: Unit) => boolean;
  readonly units: readonly Unit[];
}

export function createValues(live: LiveGraph, options: ValuesOptions): Values {
  const { nodes, outputs, root } = live;
  const all: Value[] = [];
  const known = new Map<number, number>();
  /** Arrays of constants: those that several nodes share are in memory once. */
  const arrays = new Map<object, number>();
  const ofPreparation = new Set(options.units.filter(options.isConstant).flatMap(({ members }) => members));
  const results = new Map<number, number>();
  outputs.forEach((output, position) => {
    const node = root(output);
    const isComputed = nodes[node]!.kind === 'operation' && !ofPreparation.has(node);
    if (isComputed && !results.has(node)) results.set(node, position);
  });

  const add = (shape: Shape, dtype: DType, place: Place | undefined): number => all.push({ shape, dtype, place }) - 1;
  const placeOf = (index: number): Place | undefined => {
    const node = nodes[index]!;
    switch (node.kind) {
      case 'input':
        return { kind: 'input', position: node.position };
      case 'constant':
        return { kind: 'constant', data: node.data };
      case 'resident':
        return { kind: 'resident', buffer: node.buffer, version: node.version };
      case 'operation': {
        if (ofPreparation.has(index)) return options.readAtRun.has(index) ? { kind: 'prepared' } : undefined;
        const position = results.get(index);
        return position === undefined ? undefined : { kind: 'output', index: position };
      }
    }
  };
  const of = (index: number): number => {
    const node = root(index);
    const found = known.get(node);
    if (found !== undefined) return found;
    const source = nodes[node]!;
    const shared = source.kind === 'constant' ? arrays.get(source.data) : undefined;
    const value = shared ?? add(source.shape, options.dtypeOf(node), placeOf(node));
    known.set(node, value);
    if (source.kind === 'constant') arrays.set(source.data, value);
    return value;
  };
  return {
    all,
    of,
    dtype: (value) => all[value]!.dtype,
    temporary: (shape, dtype) => add(shape, dtype, undefined),
    snapshot(index) {
      const { shape, dtype } = nodes[index]!;
      const copy = add(shape, dtype, undefined);
      known.set(index, copy);
      return copy;
    },
    output(index, position, steps) {
      const node = root(index);
      const value = of(node);
      if (results.get(node) === position) return value;
      const { shape, dtype } = all[value]!;
      const copy = add(shape, dtype, { kind: 'output', index: position });
      steps.push({ kind: 'copy', from: value, to: copy, unlessSame: true });
      return copy;
    },
  };
}
