import { isFloating } from '../../../dtype.js';
import type { OperationNode } from '../../../graph/graph.js';
import type { PrimitiveName } from '../../../primitives/attributes.js';
import { computeType, literal } from './scalar-functions.js';

/** A sum or maximum of a row. */
export interface RowReduction {
  readonly operation: 'Sum' | 'Maximum';
  readonly initial: string;
  /** What of an element enters, where `earlier` names results of the same node's reductions before this one. */
  readonly element: (x: string, earlier: (position: number) => string) => string;
  readonly combine: (total: string, element: string) => string;
  /** The result from the total. */
  readonly finish: (total: string, width: number) => string;
}

const rowOperations: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'reduceSum',
  'reduceMax',
  'softmax',
  'logSoftmax',
  'layerNorm',
  'rmsNorm',
]);

export function isRowOperation({ op }: OperationNode): boolean {
  return rowOperations.has(op);
}

const sum: RowReduction = {
  operation: 'Sum',
  initial: '0',
  element: (x) => x,
  combine: (total, element) => `${total} + ${element}`,
  finish: (total) => total,
};

function maximum(lowest: string): RowReduction {
  return {
    operation: 'Maximum',
    initial: lowest,
    element: (x) => x,
    combine: (total, element) => `larger(${total}, ${element})`,
    finish: (total) => total,
  };
}

const floatMaximum = maximum(literal(-Infinity, 'float32'));

/** Σ exp(x − max), after the maximum. */
const exponentials: RowReduction = { ...sum, element: (x, earlier) => `expf(${x} - ${earlier(0)})` };

/** What has to be known of a row, in order; each may use the ones before. */
export function rowReductions(node: OperationNode): readonly RowReduction[] {
  switch (node.op) {
    case 'reduceSum':
      return [sum];
    case 'reduceMax':
      if (isFloating(node.dtype)) return [floatMaximum];
      return [
        maximum(computeType(node.dtype) === 'int64' ? literal(-(2n ** 63n), 'int64') : literal(-(2 ** 31), 'int32')),
      ];
    case 'softmax':
    case 'logSoftmax':
      return [floatMaximum, exponentials];
    case 'layerNorm':
      return [
        { ...sum, finish: (total, width) => `${total} / ${width}.0f` },
        {
          ...sum,
          element: (x, earlier) => `(${x} - ${earlier(0)}) * (${x} - ${earlier(0)})`,
          finish: (total, width) => inverseRoot(total, width, node.attributes.epsilon),
        },
      ];
    case 'rmsNorm':
      return [
        {
          ...sum,
          element: (x) => `${x} * ${x}`,
          finish: (total, width) => inverseRoot(total, width, node.attributes.epsilon),
        },
      ];
    default:
      throw new RangeError(`${node.op} reduces no rows`);
  }
}

function inverseRoot(total: string, width: number, epsilon: number): string {
  return `1.0f / sqrtf(${total} / ${width}.0f + ${literal(epsilon, 'float32')})`;
}

/** What a row operation's element is made of. */
export interface RowOperands {
  /** Results of {@link rowReductions}. */
  readonly reduced: (position: number) => string;
  /** The element of an input; of its last axis alone where `ofRow`. */
  readonly input: (position: number, ofRow?: boolean) => string;
}

/** An element of a row operation's result. */
export function rowResult(node: OperationNode, { reduced, input }: RowOperands): string {
  switch (node.op) {
    case 'reduceSum':
    case 'reduceMax':
      return computeType(node.dtype) === 'bool' ? `(${reduced(0)} != 0)` : reduced(0);
    case 'softmax':
      return `(expf(${input(0)} - ${reduced(0)}) / ${reduced(1)})`;
    case 'logSoftmax':
      return `(${input(0)} - ${reduced(0)} - logf(${reduced(1)}))`;
    case 'layerNorm':
      return `((${input(0)} - ${reduced(0)}) * ${reduced(1)} * ${input(1, true)} + ${input(2, true)})`;
    case 'rmsNorm':
      return `(${input(0)} * ${reduced(0)} * ${input(1, true)})`;
    default:
      throw new RangeError(`${node.op} reduces no rows`);
  }
}
