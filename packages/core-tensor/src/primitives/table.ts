import type { PrimitiveAttributes, PrimitiveName } from './attributes.js';
import { binaryPrimitives, unaryPrimitives } from './elementwise.js';
import { indexingPrimitives } from './indexing.js';
import type { Primitive } from './primitive.js';
import { productPrimitives } from './product.js';
import { quantizedPrimitives } from './quantized.js';
import { rearrangementPrimitives } from './rearrangement.js';
import { reductionPrimitives } from './reduction.js';
import { specialPrimitives } from './special.js';

/** Every primitive operation; a missing one fails compilation. */
export const primitives: { readonly [Name in PrimitiveName]: Primitive<PrimitiveAttributes[Name]> } = {
  ...unaryPrimitives,
  ...binaryPrimitives,
  ...reductionPrimitives,
  ...productPrimitives,
  ...quantizedPrimitives,
  ...rearrangementPrimitives,
  ...indexingPrimitives,
  ...specialPrimitives,
};
