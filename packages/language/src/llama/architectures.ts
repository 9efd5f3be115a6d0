import type { KeyMap } from '@ocelli/core-tensor';
import type { LlamaConfig, LlamaConfigInput } from './config.js';
import { internlm2KeyMap, llamaKeyMap } from './key-map.js';

/** What a published family of the decoder does differently. */
export interface DecoderArchitecture {
  /** Value of `architectures` in `config.json`. */
  readonly className: string;
  /** Defaults of its configuration class that are not LLaMA's. */
  readonly defaults: LlamaConfigInput;
  /** Names of its tensors. */
  readonly keyMap: (config: LlamaConfig) => KeyMap;
}

/** The families that share the decoder, by the `model_type` of their `config.json`. */
export const decoderArchitectures = {
  llama: { className: 'LlamaForCausalLM', defaults: {}, keyMap: llamaKeyMap },
  qwen2: {
    className: 'Qwen2ForCausalLM',
    defaults: {
      vocabSize: 151936,
      intermediateSize: 22016,
      maxPositionEmbeddings: 32768,
      // Fixed by the type: its configuration has no field for them.
      attentionBias: true,
      attentionOutputBias: false,
    },
    keyMap: llamaKeyMap,
  },
  internlm2: {
    className: 'InternLM2ForCausalLM',
    defaults: { vocabSize: 103168, attentionBias: true, padTokenId: 0 },
    keyMap: internlm2KeyMap,
  },
} as const satisfies Readonly<Record<string, DecoderArchitecture>>;

/** A `model_type` of {@link decoderArchitectures}. */
export type DecoderType = keyof typeof decoderArchitectures;
