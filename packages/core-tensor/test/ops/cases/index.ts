import type { Cases } from '../../support/case.js';
import { elementwiseCases } from './elementwise.js';
import { imageCases } from './images.js';
import { normalizationCases } from './normalization.js';
import { sequenceCases } from './sequences.js';

/** Cases of the operations that are composed of primitives. */
export const cases: Cases = Object.fromEntries(
  [elementwiseCases, normalizationCases, imageCases, sequenceCases].flatMap(
    (each) => Object.entries(each) as [string, Cases[string]][],
  ),
);
