import type { DType } from '../../../src/dtype.js';
import type { PrimitiveAttributes, PrimitiveName } from '../../../src/primitives/attributes.js';
import { record, type Tensor } from '../../../src/tensor.js';
import type { InputSpec } from '../../support/host-tensor.js';

/** One use of a primitive: what it is tried with on every engine. */
export interface Case {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly fn: (...inputs: Tensor[]) => Tensor;
  /** Relative tolerance between engines. Default: that of the result's dtype. */
  readonly relative?: number;
  /** Inputs whose gradients are compared with central differences. Default: all of dtype float32. */
  readonly withRespectTo?: readonly number[];
}

/** Cases of each primitive; one without any fails compilation. */
export type CaseTable = { readonly [Name in PrimitiveName]: readonly Case[] };

/** A case that applies one primitive to its inputs in order. */
export function applies<Name extends PrimitiveName>(
  op: Name,
  name: string,
  inputs: readonly InputSpec[],
  attributes: PrimitiveAttributes[Name],
  options: Pick<Case, 'relative' | 'withRespectTo'> = {},
): Case {
  return { name, inputs, fn: (...tensors) => record(op, tensors, attributes), ...options };
}

/** `float32 [2, 3], int32 []` */
export function describeInputs(inputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[]): string {
  return inputs.map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`).join(', ');
}
