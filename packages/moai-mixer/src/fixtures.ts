import type { ParityChecks } from '@ocelli/core-tensor';
import { checkCompressor, checkExpert, checkPartialLora } from './parity/modules.js';
import { checkProcess } from './parity/process.js';
import { checkPipelines, checkPrompts } from './parity/texts.js';
import { checkVerbalization, checkVocabularies } from './parity/verbalization.js';

/** Comparisons with published implementations, by kind of fixture. */
export const parityChecks: ParityChecks = {
  'moai/compressor': checkCompressor,
  'moai/expert': checkExpert,
  'moai/plora': checkPartialLora,
  'moai/verbalization': checkVerbalization,
  'moai/vocabularies': checkVocabularies,
  'moai/prompts': checkPrompts,
  'moai/pipelines': checkPipelines,
  'moai/eval_process': checkProcess,
};
