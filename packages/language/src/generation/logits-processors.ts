import type { GenerationConfig } from './generation-config.js';
import type { LogitsProcessor } from './logits-processor.js';
import {
  type AllowedTokens,
  badWords,
  encoderRepetitionPenalty,
  exponentialDecay,
  finiteScores,
  forcedBos,
  forcedEos,
  minLength,
  minNewTokens,
  noRepeatNGram,
  prefixConstraint,
  repetitionPenalty,
  sequenceBias,
  suppressAtBegin,
  suppressTokens,
} from './penalties.js';
import { epsilonCutoff, etaCutoff, logSoftmax, minP, temperature, topK, topP, typical } from './warpers.js';

/** A processor with the tokens of the answer that it may change, counted from 0. */
export interface PlannedProcessor {
  readonly process: LogitsProcessor;
  /** Default: 0. */
  readonly from?: number;
  /** The first one that it no longer changes. Default: none. */
  readonly until?: number;
}

/** What the processors of a generation depend on beside its settings. */
export interface ProcessorContext {
  readonly eosTokenIds: readonly number[];
  /** Tokens of the padded prompts. */
  readonly promptLength: number;
  /** Of these, those whose ids are known: all, or none of a prompt given as vectors. */
  readonly knownLength: number;
  readonly maxNewTokens: number;
  readonly prefixAllowedTokens?: AllowedTokens | undefined;
  /** The caller's own, which come after all but those for sampling. */
  readonly custom?: readonly LogitsProcessor[] | undefined;
}

/**
 * The processors that settings ask for, in the order of Hugging Face's `generate` (transformers 4.46).
 *
 * What is left out changes nothing, so that an empty list means that scores stay as the model gives them.
 */
export function plannedProcessors(config: GenerationConfig, context: ProcessorContext): PlannedProcessor[] {
  return [...constraints(config, context), ...warpers(config, context)];
}

/** The processors of a plan that may change the given token of the answer. */
export function processorsAt(planned: readonly PlannedProcessor[], step: number): LogitsProcessor[] {
  const active = planned.filter(({ from = 0, until = Number.POSITIVE_INFINITY }) => from <= step && step < until);
  return active.map(({ process }) => process);
}

function constraints(config: GenerationConfig, context: ProcessorContext): PlannedProcessor[] {
  const { eosTokenIds: eos, promptLength, knownLength, maxNewTokens, prefixAllowedTokens, custom = [] } = context;
  const { forcedBosTokenId, forcedEosTokenId, exponentialDecayLengthPenalty: decay } = config;
  const list: PlannedProcessor[] = [];
  const add = (isWanted: boolean, process: () => LogitsProcessor, steps: { from?: number; until?: number } = {}) => {
    if (isWanted) list.push({ process: process(), ...steps });
  };
  add(config.sequenceBias.length > 0, () => sequenceBias(config.sequenceBias));
  add(config.encoderRepetitionPenalty !== 1, () => encoderRepetitionPenalty(config.encoderRepetitionPenalty));
  add(config.repetitionPenalty !== 1, () => repetitionPenalty(config.repetitionPenalty));
  add(config.noRepeatNgramSize > 0, () => noRepeatNGram(config.noRepeatNgramSize));
  add(config.badWordsIds.length > 0, () => badWords(config.badWordsIds, eos));
  // Lengths count the prompt, whose ids a row may lack.
  const leastNew = Math.max(config.minLength - promptLength, 0);
  add(leastNew > 0 && eos.length > 0, () => minLength(knownLength + leastNew, eos), { until: leastNew });
  const { minNewTokens: least = 0 } = config;
  add(least > 0 && eos.length > 0, () => minNewTokens(least, eos), { until: least });
  add(prefixAllowedTokens !== undefined, () => prefixConstraint(prefixAllowedTokens!));
  add(forcedBosTokenId !== undefined, () => forcedBos(forcedBosTokenId!), { until: 2 });
  const lastLength = knownLength + maxNewTokens;
  add(forcedEosTokenId !== undefined, () => forcedEos(lastLength, [forcedEosTokenId!].flat()), {
    from: maxNewTokens - 1,
  });
  add(config.removeInvalidValues, () => finiteScores);
  add(decay !== undefined && eos.length > 0, () => exponentialDecay(decay![0], decay![1], eos), {
    from: (decay?.[0] ?? 0) + 1,
  });
  add(config.suppressTokens.length > 0, () => suppressTokens(config.suppressTokens));
  const begin = knownLength === 1 && forcedBosTokenId !== undefined ? 1 : 0;
  add(config.beginSuppressTokens.length > 0, () => suppressAtBegin(config.beginSuppressTokens, knownLength + begin), {
    until: begin + 1,
  });
  for (const process of custom) list.push({ process });
  return list;
}

function warpers(config: GenerationConfig, { eosTokenIds }: ProcessorContext): PlannedProcessor[] {
  const { minP: share, numBeams } = config;
  // A beam needs tokens that do not end it.
  const kept = numBeams > 1 ? 1 + Math.max(eosTokenIds.length, 1) : 1;
  const sampling: LogitsProcessor[] = [];
  if (config.doSample) {
    if (config.temperature !== 1) sampling.push(temperature(config.temperature));
    if (config.topK > 0) sampling.push(topK(config.topK, kept));
    if (config.topP < 1) sampling.push(topP(config.topP, kept));
    if (share !== undefined) sampling.push(minP(share, kept));
    if (config.typicalP < 1) sampling.push(typical(config.typicalP, kept));
    if (isCutoff(config.epsilonCutoff)) sampling.push(epsilonCutoff(config.epsilonCutoff, kept));
    if (isCutoff(config.etaCutoff)) sampling.push(etaCutoff(config.etaCutoff, kept));
  }
  if (config.renormalizeLogits) sampling.push(logSoftmax);
  return sampling.map((process) => ({ process }));
}

function isCutoff(value: number): boolean {
  return value > 0 && value < 1;
}
