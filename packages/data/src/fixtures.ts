import type { ParityChecks } from '@ocelli/core-tensor';
import { chatTemplateChecks } from './parity/chat-templates.js';
import { gridChecks } from './parity/grids.js';
import { honeybeeExampleChecks } from './parity/honeybee-examples.js';
import { honeybeeTaskChecks } from './parity/honeybee-tasks.js';
import { imageChecks } from './parity/images.js';
import { labelChecks } from './parity/labels.js';
import { mixingChecks } from './parity/mixing.js';
import { samplerChecks } from './parity/sampler.js';
import { tokenChecks } from './parity/tokens.js';

/** Kinds of fixtures that images, tokens and batches answer for. */
export const parityChecks: ParityChecks = {
  ...imageChecks,
  ...tokenChecks,
  ...chatTemplateChecks,
  ...labelChecks,
  ...honeybeeExampleChecks,
  ...honeybeeTaskChecks,
  ...mixingChecks,
  ...gridChecks,
  ...samplerChecks,
};
