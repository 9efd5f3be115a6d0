import type { CaseTable } from './case.js';
import { elementwiseCases } from './elementwise.js';
import { indexingCases } from './indexing.js';
import { productCases } from './product.js';
import { quantizedCases } from './quantized.js';
import { rearrangementCases } from './rearrangement.js';
import { reductionCases } from './reduction.js';
import { specialCases } from './special.js';

/** Cases of every primitive. */
export const cases: CaseTable = {
  ...elementwiseCases,
  ...reductionCases,
  ...productCases,
  ...quantizedCases,
  ...rearrangementCases,
  ...indexingCases,
  ...specialCases,
};
