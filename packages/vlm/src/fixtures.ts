import type { ParityChecks } from '@ocelli/core-tensor';
import { checkAssembly } from './parity/assembly.js';
import { checkEagleSplice, checkImageSplice } from './parity/splice.js';

/** Kinds of fixtures that this package answers for. */
export const parityChecks: ParityChecks = {
  'honeybee/assembly': checkAssembly,
  'backbones/image_splice': checkImageSplice,
  'convllava/splice': checkImageSplice,
  'eagle/splice': checkEagleSplice,
};
