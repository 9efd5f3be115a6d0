import type { AnyTypedArray, DType } from '../dtype.js';
import type { PrimitiveAttributes, PrimitiveName } from '../primitives/attributes.js';
import type { Shape } from './shape.js';

/** One node of a {@link Graph}; `inputs` are indices of earlier nodes. */
export type GraphNode =
  /** Argument number `position` of the program. */
  | { readonly kind: 'input'; readonly position: number; readonly shape: Shape; readonly dtype: DType }
  /** A value known when the program is compiled. */
  | { readonly kind: 'constant'; readonly data: AnyTypedArray; readonly shape: Shape; readonly dtype: DType }
  /** A value known when the program is compiled, which an engine already holds (frozen parameters). */
  | {
      readonly kind: 'resident';
      readonly buffer: number;
      /** Grows when the buffer is written over. */
      readonly version: number;
      readonly shape: Shape;
      readonly dtype: DType;
    }
  | OperationNode;

/** A primitive applied to earlier nodes. */
export type OperationNode<Name extends PrimitiveName = PrimitiveName> = {
  readonly [N in Name]: {
    readonly kind: 'operation';
    readonly op: N;
    readonly inputs: readonly number[];
    readonly attributes: PrimitiveAttributes[N];
    readonly shape: Shape;
    readonly dtype: DType;
  };
}[Name];

/**
 * What an engine compiles: plain data, in topological order (a node comes after its inputs), free of references to
 * tensors, so that it can be sent to another thread or written to a file.
 */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Number of arguments; every position below it has one input node. */
  readonly inputCount: number;
  /** Indices of the nodes whose values the program returns. */
  readonly outputs: readonly number[];
}
