import type { ParityChecks } from '@ocelli/core-tensor';
import { eagleFusionChecks } from './parity/eagle.js';
import { honeybeeChecks } from './parity/honeybee.js';
import { honeybeeStartChecks } from './parity/honeybee-starts.js';
import { llavaChecks } from './parity/llava.js';

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  ...honeybeeChecks,
  ...honeybeeStartChecks,
  ...llavaChecks,
  ...eagleFusionChecks,
};
