import type { ParityChecks } from '@ocelli/core-tensor';

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {};
