import type { ParityChecks } from '@ocelli/core-tensor';
import { assemblyChecks } from './parity/assembly.js';
import { imageChecks } from './parity/images.js';
import { mixingChecks } from './parity/mixing.js';
import { tokenChecks } from './parity/tokens.js';

/** Kinds of fixtures that images, tokens and batches answer for. */
export const parityChecks: ParityChecks = { ...imageChecks, ...tokenChecks, ...assemblyChecks, ...mixingChecks };
