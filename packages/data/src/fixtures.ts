import type { ParityChecks } from '@ocelli/core-tensor';
import { imageChecks } from './parity/images.js';
import { mixingChecks } from './parity/mixing.js';
import { tokenChecks } from './parity/tokens.js';

/** Kinds of fixtures that images, tokens and batches answer for. */
export const parityChecks: ParityChecks = { ...imageChecks, ...tokenChecks, ...mixingChecks };
