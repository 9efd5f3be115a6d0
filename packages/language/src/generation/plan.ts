import { ConfigError } from '@ocelli/core-tensor';
import type { TokenInput } from '../llama/input.js';
import type { Llama } from '../llama/llama.js';
import { cachedSession } from './cached-session.js';
import { checkContextLength } from './context-length.js';
import type { DecoderSession } from './decoder-session.js';
import type { GenerateCall, GenerateStreamOptions } from './generate-options.js';
import { type GenerationConfig, parseGenerationConfig } from './generation-config.js';
import { type PlannedProcessor, plannedProcessors } from './logits-processors.js';
import { leftPadded, maskOfPadding, type Prompts } from './prompt.js';
import { uncachedSession } from './uncached-session.js';

/** A generation, checked and ready to run. */
export interface GenerationPlan {
  readonly config: GenerationConfig;
  readonly prompts: Prompts;
  readonly maxNewTokens: number;
  readonly eosTokenIds: readonly number[];
  /** What rows that ended read on. */
  readonly padTokenId: number;
  readonly processors: readonly PlannedProcessor[];
  readonly call: GenerateCall;
  openSession(): DecoderSession;
}

/**
 * Checks all that can be checked before the model runs.
 *
 * @throws ConfigError if a setting or a prompt is invalid, or the two need more positions than the model has
 * @throws ShapeError if mask and prompt do not fit
 */
export async function planGeneration(model: Llama, options: GenerateStreamOptions): Promise<GenerationPlan> {
  const { config, call } = settingsOf(options);
  const eosTokenIds = [config.eosTokenId ?? []].flat();
  checkSettings(config, call, model.config.vocabSize);
  const givenPadding = config.padTokenId ?? model.config.padTokenId ?? undefined;
  const prompts = await leftPadded('generate', model.config, await masked(options, givenPadding, eosTokenIds));
  const maxNewTokens = config.maxNewTokens ?? config.maxLength - prompts.tokens;
  if (maxNewTokens < 1) {
    throw new ConfigError({
      operation: 'generate',
      expected: 'a maxLength above the length of the prompts, which it counts',
      received: `maxLength ${config.maxLength} and prompts of ${prompts.tokens} tokens`,
      remedy: 'Give maxNewTokens instead.',
    });
  }
  checkContextLength('generate', model.config, prompts.lengths, maxNewTokens);
  return {
    config,
    prompts,
    maxNewTokens,
    eosTokenIds,
    padTokenId: givenPadding ?? eosTokenIds[0] ?? 0,
    processors: plannedProcessors(config, {
      eosTokenIds,
      promptLength: prompts.tokens,
      knownLength: prompts.ids[0]!.length,
      maxNewTokens,
      prefixAllowedTokens: call.prefixAllowedTokens,
      custom: call.logitsProcessors,
    }),
    call,
    openSession() {
      const { hooks, stepHooks } = call;
      return config.useCache
        ? cachedSession(model, { capacity: maxNewTokens, hooks, stepHooks })
        : uncachedSession(model, { hooks, stepHooks });
    },
  };
}

function settingsOf(options: GenerateStreamOptions): { config: GenerationConfig; call: GenerateCall } {
  const { inputIds, inputsEmbeds, attentionMask, visualMask, ...others } = options;
  const { generationConfig, seed, decode, signal, logitsProcessors, prefixAllowedTokens, ...rest } = others;
  const { stoppingCriteria, hooks, stepHooks, ...settings } = rest;
  const call = { seed, decode, signal, logitsProcessors, prefixAllowedTokens, stoppingCriteria, hooks, stepHooks };
  return { config: parseGenerationConfig(generationConfig ?? {}, settings), call };
}

/**
 * The prompts with a mask. Without one, ids that are padding count as such where padding is no end of sequence, as in
 * Hugging Face's code.
 */
async function masked(
  { inputIds, inputsEmbeds, attentionMask, visualMask }: TokenInput,
  padTokenId: number | undefined,
  eosTokenIds: readonly number[],
): Promise<TokenInput> {
  const isInferred =
    !attentionMask && inputIds?.shape.length === 2 && padTokenId !== undefined && !eosTokenIds.includes(padTokenId);
  const mask = isInferred ? await maskOfPadding(inputIds, padTokenId) : attentionMask;
  return { inputIds, inputsEmbeds, attentionMask: mask, visualMask };
}

function checkSettings(config: GenerationConfig, { decode }: GenerateCall, vocabSize: number): void {
  const { eosTokenId = [], padTokenId = [], forcedBosTokenId = [], forcedEosTokenId = [] } = config;
  const ids = [
    ...[eosTokenId, padTokenId, forcedBosTokenId, forcedEosTokenId, config.suppressTokens].flat(),
    ...[config.beginSuppressTokens, ...config.badWordsIds, ...config.sequenceBias.map(([each]) => each)].flat(),
  ];
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown !== undefined) {
    throw new ConfigError({
      operation: 'generate',
      expected: `token ids below the vocabulary's ${vocabSize}`,
      received: String(unknown),
    });
  }
  if (config.stopStrings.length > 0 && !decode) {
    throw new ConfigError({
      operation: 'generate',
      expected: 'a decode function for stopStrings',
      received: 'none',
      remedy: 'Give the tokenizer, or a function that makes text of ids, as decode.',
    });
  }
}
