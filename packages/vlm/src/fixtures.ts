import type { ParityChecks } from '@ocelli/core-tensor';

/** Kinds of fixtures that this package answers for. */
export const parityChecks: ParityChecks = {};
