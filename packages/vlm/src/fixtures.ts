import type { ParityChecks } from '@ocelli/core-tensor';
import { checkAssembly } from './parity/assembly.js';
import { fusedTowerChecks } from './parity/fused-towers.js';
import { managedChecks } from './parity/managed.js';
import { checkMoaiMerge, checkMoaiModel, checkMoaiStack } from './parity/moai.js';
import { checkMoaiLayer, checkMoaiMixer, checkMoaiRotary } from './parity/moai-layer.js';
import { checkEagleSplice, checkImageSplice } from './parity/splice.js';
import { twoTowerChecks } from './parity/two-tower.js';

/** Kinds of fixtures that this package answers for. */
export const parityChecks: ParityChecks = {
  'honeybee/assembly': checkAssembly,
  'backbones/image_splice': checkImageSplice,
  'convllava/splice': checkImageSplice,
  'eagle/splice': checkEagleSplice,
  'moai/mixer': checkMoaiMixer,
  'moai/layer': checkMoaiLayer,
  'moai/stack': checkMoaiStack,
  'moai/merge': checkMoaiMerge,
  'moai/model': checkMoaiModel,
  'moai/rope': checkMoaiRotary,
  ...fusedTowerChecks,
  ...twoTowerChecks,
  ...managedChecks,
};
