import { ConfigError } from '@ocelli/core-tensor';
import { banned, type LogitsProcessor } from './logits-processor.js';

/**
 * Makes every token of the row, prompt and padding included, less likely for a penalty above 1: a negative score is
 * multiplied by it, another divided, once per token (Keskar et al. 2019, "CTRL"; Hugging Face's sign rule).
 */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  return (scores, { ids }) => penalize(scores, ids, penalty);
}

/** The reverse of {@link repetitionPenalty} for the tokens of the prompt: above 1 they become more likely. */
export function encoderRepetitionPenalty(penalty: number): LogitsProcessor {
  return (scores, { ids, promptLength }) => penalize(scores, ids.slice(0, promptLength), 1 / penalty);
}

function penalize(scores: Float32Array, ids: readonly number[], penalty: number): void {
  for (const id of new Set(ids)) {
    const score = scores[id]!;
    scores[id] = score < 0 ? score * penalty : score / penalty;
  }
}

/** Bans every token that would repeat `size` successive tokens of the row, those of the prompt included. */
export function noRepeatNGram(size: number): LogitsProcessor {
  return (scores, { ids }) => {
    const last = ids.length - size + 1;
    for (let start = 0; start < last; start++) {
      let shared = 0;
      while (shared < size - 1 && ids[start + shared] === ids[last + shared]) shared++;
      if (shared === size - 1) scores[ids[start + shared]!] = banned;
    }
  };
}

/** Ids and what is added to the score of the last one where the others precede it. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/** Adds a bias to tokens that complete given sequences. As in Hugging Face's code, a longer sequence than the row counts for nothing. */
export function sequenceBias(biases: readonly SequenceBias[]): LogitsProcessor {
  return (scores, { ids }) => {
    for (const [sequence, bias] of biases) {
      if (sequence.length > 1 && sequence.length > ids.length) continue;
      const start = ids.length - sequence.length + 1;
      const completes = sequence.slice(0, -1).every((id, index) => ids[start + index] === id);
      if (completes) scores[sequence.at(-1)!]! += bias;
    }
  };
}

/** Bans sequences of tokens. An end of sequence alone is no bad word, as in Hugging Face's code. */
export function badWords(words: readonly (readonly number[])[], eosTokenIds: readonly number[]): LogitsProcessor {
  const isEnd = (word: readonly number[]) => word.length === 1 && eosTokenIds.includes(word[0]!);
  return sequenceBias(words.filter((word) => !isEnd(word)).map((word) => [word, banned]));
}

/** Bans the ends of sequence while the row, prompt included, is shorter than `length`. */
export function minLength(length: number, eosTokenIds: readonly number[]): LogitsProcessor {
  return (scores, { ids }) => {
    if (ids.length < length) ban(scores, eosTokenIds);
  };
}

/** Bans the ends of sequence while fewer than `count` tokens were chosen. */
export function minNewTokens(count: number, eosTokenIds: readonly number[]): LogitsProcessor {
  return (scores, { ids, promptLength }) => {
    if (ids.length - promptLength < count) ban(scores, eosTokenIds);
  };
}

/** Ids that may come next. */
export type AllowedTokens = (row: number, ids: readonly number[]) => readonly number[];

/** Bans all tokens but those a function names. @throws ConfigError if it names none */
export function prefixConstraint(allowedTokens: AllowedTokens): LogitsProcessor {
  return (scores, { row, ids }) => {
    const allowed = new Map(allowedTokens(row, ids).map((id) => [id, scores[id]]));
    if (allowed.size === 0) {
      throw new ConfigError({
        operation: 'prefixAllowedTokens',
        expected: 'at least one token that may come next',
        received: `none for row ${row} after ${ids.length} tokens`,
        remedy: 'Name the end of sequence where nothing else may follow.',
      });
    }
    scores.fill(banned);
    for (const [id, score] of allowed) if (score !== undefined) scores[id] = score;
  };
}

/** Leaves one token as the first of a row that consists of a single token. */
export function forcedBos(tokenId: number): LogitsProcessor {
  return (scores, { ids }) => {
    if (ids.length === 1) force(scores, [tokenId]);
  };
}

/** Leaves only these tokens as the last one of a row of `maxLength` tokens. */
export function forcedEos(maxLength: number, tokenIds: readonly number[]): LogitsProcessor {
  return (scores, { ids }) => {
    if (ids.length === maxLength - 1) force(scores, tokenIds);
  };
}

function force(scores: Float32Array, ids: readonly number[]): void {
  scores.fill(banned);
  for (const id of ids) scores[id] = 0;
}

/** Replaces NaN by 0, and infinities by the largest and smallest float32. */
export const finiteScores: LogitsProcessor = (scores) => {
  const largest = 3.4028234663852886e38;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (Number.isNaN(score)) scores[id] = 0;
    else if (Math.abs(score) === Number.POSITIVE_INFINITY) scores[id] = Math.sign(score) * largest;
  }
};

/** After `start` new tokens, |score|·(factorⁿ − 1) is added to the ends of sequence at the n-th further one. */
export function exponentialDecay(start: number, factor: number, eosTokenIds: readonly number[]): LogitsProcessor {
  return (scores, { ids, promptLength }) => {
    const beyond = ids.length - promptLength - start;
    if (beyond <= 0) return;
    for (const id of eosTokenIds) scores[id]! += Math.abs(scores[id]!) * (factor ** beyond - 1);
  };
}

/** Bans tokens. */
export function suppressTokens(tokenIds: readonly number[]): LogitsProcessor {
  return (scores) => ban(scores, tokenIds);
}

/** Bans tokens in rows of exactly `length` tokens: where an answer begins. */
export function suppressAtBegin(tokenIds: readonly number[], length: number): LogitsProcessor {
  return (scores, { ids }) => {
    if (ids.length === length) ban(scores, tokenIds);
  };
}

function ban(scores: Float32Array, ids: readonly number[]): void {
  for (const id of ids) scores[id] = banned;
}
