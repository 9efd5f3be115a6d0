import { ConfigError } from '@ocelli/core-tensor';
import type { LlamaConfig } from '../llama/config.js';

/** Positions that a model knows, what its scaling adds included. */
export function contextLength({
  maxPositionEmbeddings,
  ropeScaling,
}: Pick<LlamaConfig, 'maxPositionEmbeddings' | 'ropeScaling'>): number {
  // Files of LLaMA 3.1 give the stretched length already.
  if (ropeScaling === null || ropeScaling.type === 'llama3') return maxPositionEmbeddings;
  return Math.floor(maxPositionEmbeddings * ropeScaling.factor);
}

/** @throws ConfigError if the longest prompt and its answer need more positions than the model has */
export function checkContextLength(
  operation: string,
  config: LlamaConfig,
  lengths: readonly number[],
  maxNewTokens: number,
): void {
  const positions = contextLength(config);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  if (longest + maxNewTokens <= positions) return;
  const row = lengths.indexOf(longest);
  const room = positions - longest;
  throw new ConfigError({
    operation,
    expected: `prompt and answer within the model's ${positions} positions`,
    received: `a prompt of ${longest} tokens (row ${row}) and maxNewTokens ${maxNewTokens}`,
    remedy:
      room > 0
        ? `Ask for at most ${room} new tokens, or shorten the prompt.`
        : 'Shorten the prompt, or take a model with more positions (ropeScaling stretches those of a trained one).',
  });
}
