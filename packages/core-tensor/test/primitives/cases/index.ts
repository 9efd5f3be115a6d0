import type { Case, CaseTable } from './case.js';
import { elementwiseCases } from './elementwise.js';
import { indexingCases } from './indexing.js';
import { productCases } from './product.js';
import { rearrangementCases } from './rearrangement.js';
import { reductionCases } from './reduction.js';
import { specialCases } from './special.js';

/** Cases of every primitive. */
export const cases: CaseTable = {
  ...elementwiseCases,
  ...reductionCases,
  ...productCases,
  ...rearrangementCases,
  ...indexingCases,
  ...specialCases,
};

/** All cases under the names that tests carry. */
export const namedCases: readonly (readonly [name: string, each: Case])[] = Object.entries(cases).flatMap(([primitive, list]) =>
  list.map((each) => [`${primitive} ${each.name}`, each] as const),
);
