import type { ParityChecks } from '@ocelli/core-tensor';
import { checkAssembly } from './parity/assembly.js';

/** Kinds of fixtures that this package answers for. */
export const parityChecks: ParityChecks = { 'honeybee/assembly': checkAssembly };
