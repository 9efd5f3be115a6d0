import type { PrimitiveAttributes, PrimitiveName } from '../../../src/primitives/attributes.js';
import { record } from '../../../src/tensor.js';
import type { Case } from '../../support/case.js';
import type { InputSpec } from '../../support/host-tensor.js';

/** Cases of each primitive; one without any fails compilation. */
export type CaseTable = { readonly [Name in PrimitiveName]: readonly Case[] };

/** A case that applies one primitive to its inputs in order. */
export function applies<Name extends PrimitiveName>(
  op: Name,
  name: string,
  inputs: readonly InputSpec[],
  attributes: PrimitiveAttributes[Name],
  options: Pick<Case, 'relative' | 'withRespectTo' | 'refusedBy'> = {},
): Case {
  return { name, inputs, fn: (...tensors) => record(op, tensors, attributes), ...options };
}
