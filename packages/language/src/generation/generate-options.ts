import type { DecoderHooks } from '../llama/decoder-layer.js';
import type { TokenInput } from '../llama/input.js';
import type { GenerationConfigInput } from './generation-config.js';
import type { LogitsProcessor } from './logits-processor.js';
import type { AllowedTokens } from './penalties.js';
import type { StoppingCriterion } from './stopping.js';
import type { TokenDecoder } from './text-stream.js';

/** What {@link generate} and {@link generateStream} are given beside prompts and settings. */
export interface GenerateCall {
  /** Settings of the checkpoint, which those beside it override. See `loadGenerationConfig`. */
  readonly generationConfig?: GenerationConfigInput | undefined;
  /** Of the random numbers. The same seed, prompt and settings give the same answer. Default: 0. */
  readonly seed?: number | undefined;
  /** Makes text of tokens: for `text` and `stopStrings`. A tokenizer will do. */
  readonly decode?: TokenDecoder | undefined;
  /** Ends the generation with an error, the signal's reason, before its next step. */
  readonly signal?: AbortSignal | undefined;
  /** Changes of the scores behind those of the settings, and in front of those for sampling. */
  readonly logitsProcessors?: readonly LogitsProcessor[] | undefined;
  /** Ids that may come next in a row: structured answers, say. */
  readonly prefixAllowedTokens?: AllowedTokens | undefined;
  /** Further reasons for rows to end. */
  readonly stoppingCriteria?: readonly StoppingCriterion[] | undefined;
  /** While the prompt is read. Make them anew where the tensors they hold change: a program is compiled for each object. */
  readonly hooks?: DecoderHooks | undefined;
  /** While the answer is written. Default: none. */
  readonly stepHooks?: DecoderHooks | undefined;
}

/** Prompts, and how they are answered: the fields of Hugging Face's `GenerationConfig`, and some of this call. */
export interface GenerateStreamOptions extends TokenInput, GenerationConfigInput, GenerateCall {}

export interface GenerateOptions extends GenerateStreamOptions {
  /**
   * Called with the token of each row, in the order of the rows, or `undefined` for a row that has ended. Not for beam
   * search, whose tokens are certain only at the end.
   */
  readonly onToken?: ((tokens: readonly (number | undefined)[], step: number) => void) | undefined;
}

/** Why a row ended: by itself, by a stop string or a criterion, or because it had all the tokens it gets. */
export type FinishReason = 'eos' | 'stop' | 'length';

/** What a prompt was answered with. */
export interface GeneratedRow {
  /** New tokens, the end of sequence or those of a stop string included. */
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  /** The tokens' text up to a stop string. Only with `decode`. */
  readonly text?: string;
  /** Log-probability / length^lengthPenalty. Only of beam search. */
  readonly score?: number;
}
