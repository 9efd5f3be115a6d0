import type { TensorFunction } from './engines.js';
import type { InputSpec } from './host-tensor.js';

/** One use of an operation: what it is tried with on every engine. */
export interface Case {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly fn: TensorFunction;
  /** Relative tolerance between engines. Default: that of the result's dtype. */
  readonly relative?: number;
  /** Inputs whose gradients are compared with central differences. Default: all of dtype float32. */
  readonly withRespectTo?: readonly number[];
  /** Engines that are known to refuse it. */
  readonly refusedBy?: readonly string[];
}

/** Cases by operation. */
export type Cases = Readonly<Record<string, readonly Case[]>>;

/** All cases under the names that tests carry. */
export function named(cases: Cases): readonly (readonly [name: string, each: Case])[] {
  return Object.entries(cases).flatMap(([operation, list]) =>
    list.map((each) => [`${operation} ${each.name}`, each] as const),
  );
}
