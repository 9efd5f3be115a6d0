import { ConfigError } from '@ocelli/core-tensor';
import type { MoaiPrompt } from './prompt.js';

/** Options of {@link tokenizeMoaiPrompt}. */
export interface TokenizePromptOptions {
  /** Id of `<image>`. MoAI-7B: 92544. */
  readonly imageToken: number;
  /** Id in front of every sequence. Default: 1. */
  readonly beginToken?: number;
  /** Places that the image takes. Default: 1225. */
  readonly imageTokens?: number;
}

/** A prompt as ids, and where the image is once it has taken its places. */
export interface TokenizedMoaiPrompt {
  /** With one id for the image. */
  readonly inputIds: readonly number[];
  /** Places up to the end of the image. */
  readonly systemLength: number;
  /** 1 at the image's places, else 0; of the length that the sequence has with the image in its places. */
  readonly imageMask: Uint8Array;
}

/**
 * Ids and places of a prompt. As in MoAI's code the whole prompt is tokenized, and its parts apart to count places.
 *
 * @param tokenize ids of a text, without a begin token
 * @throws ConfigError if the image is not the end of the system text, or the parts are not as long as the whole
 */
export function tokenizeMoaiPrompt(
  { system, turn }: MoaiPrompt,
  tokenize: (text: string) => readonly number[],
  { imageToken, beginToken = 1, imageTokens = 1225 }: TokenizePromptOptions,
): TokenizedMoaiPrompt {
  const operation = 'tokenizeMoaiPrompt';
  const [systemIds, turnIds, ids] = [tokenize(system), tokenize(turn), tokenize(system + turn)];
  if (systemIds.indexOf(imageToken) !== systemIds.length - 1) {
    throw new ConfigError({
      operation,
      expected: `the id ${imageToken} of the image once, at the end of the system text`,
      received: `ids ending in ${systemIds.slice(-3).join(', ')}`,
      remedy: 'Take a tokenizer that knows <image> as one token.',
    });
  }
  if (ids.length !== systemIds.length + turnIds.length) {
    throw new ConfigError({
      operation,
      expected: `as many tokens in the whole prompt as in its parts, ${systemIds.length} + ${turnIds.length}`,
      received: String(ids.length),
      remedy: 'Take a tokenizer that splits at <image>.',
    });
  }
  const systemLength = 1 + systemIds.length - 1 + imageTokens;
  const imageMask = new Uint8Array(systemLength + turnIds.length).fill(1, systemLength - imageTokens, systemLength);
  return { inputIds: [beginToken, ...ids], systemLength, imageMask };
}
