import type { ParityChecks } from '@ocelli/core-tensor';
import { clipChecks } from './parity/clip.js';
import { convLlavaChecks } from './parity/convllava.js';
import { convNextChecks } from './parity/convnext.js';
import { eagleExpertChecks } from './parity/eagle-experts.js';
import { robertaChecks } from './parity/roberta.js';
import { siglipChecks } from './parity/siglip.js';

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  ...clipChecks,
  ...convLlavaChecks,
  ...convNextChecks,
  ...eagleExpertChecks,
  ...robertaChecks,
  ...siglipChecks,
};
