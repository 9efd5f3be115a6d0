import { placeholder } from '@ocelli/core-tensor';
import type { Llama } from '@ocelli/language';
import type { Recorded } from '../published-models.js';
import type { PromptSize } from './system-programs.js';

/** One token behind a full cache. */
export function decoderStep(language: Llama, { batch, context }: PromptSize): Recorded {
  const { numHiddenLayers, numKeyValueHeads, headDim } = language.config;
  const shape = [batch, numKeyValueHeads, context, headDim];
  const layers = () => Array.from({ length: numHiddenLayers }, () => placeholder(shape));
  const { logits } = language.decodeStep({
    inputIds: placeholder([batch], 'int32'),
    cache: {
      keys: layers(),
      values: layers(),
      visible: placeholder([batch, context], 'int32'),
      length: placeholder([], 'int32'),
      nextPosition: placeholder([batch], 'int32'),
    },
  });
  return { outputs: [logits], held: [] };
}
