import type { ParityChecks } from '@ocelli/core-tensor';
import { residualChecks } from './parity/residual.js';
import { twoTowerChecks } from './parity/two-tower.js';

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = { ...twoTowerChecks, ...residualChecks };
