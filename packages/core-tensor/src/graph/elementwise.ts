import type { PrimitiveName } from '../primitives/attributes.js';
import type { Graph } from './graph.js';
import { sameShape, sizeOf } from './shape.js';

const elementwise: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'neg',
  'abs',
  'sign',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
  'relu',
  'floor',
  'ceil',
  'round',
  'logicalNot',
  'cast',
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'equal',
  'less',
  'lessEqual',
  'logicalAnd',
  'logicalOr',
  'where',
  'stopGradient',
]);

/** Whether each element of the result comes from one element of each input. */
export function isElementwiseOperation(op: PrimitiveName): boolean {
  return elementwise.has(op);
}

/**
 * Whether every value of a graph is either a scalar or of one common shape, and every operation elementwise. Such a
 * program may run tile by tile and write over its inputs.
 */
export function isElementwise({ nodes, outputs }: Graph): boolean {
  const shape = nodes[outputs[0]!]!.shape;
  return (
    nodes.every(
      (node) =>
        (sizeOf(node.shape) === 1 || sameShape(node.shape, shape)) &&
        (node.kind === 'operation' ? elementwise.has(node.op) : node.kind === 'input' || sizeOf(node.shape) === 1),
    ) && outputs.every((output) => sameShape(nodes[output]!.shape, shape))
  );
}
