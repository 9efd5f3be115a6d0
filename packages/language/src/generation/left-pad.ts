import { ConfigError, type Tensor, tensor } from '@ocelli/core-tensor';

/** Prompts of one length. */
export interface PaddedPrompts {
  /** int32 [batch, tokens] */
  readonly inputIds: Tensor;
  /** 1 where there is a token of the prompt, int32 [batch, tokens]. */
  readonly attentionMask: Tensor;
}

/**
 * Prompts of unequal length, padded on the left to the longest one, as generation needs them.
 *
 * @throws ConfigError if there is no prompt, or an empty one
 */
export function leftPad(prompts: readonly (readonly number[])[], padTokenId: number): PaddedPrompts {
  const empty = prompts.findIndex(({ length }) => length === 0);
  if (prompts.length === 0 || empty >= 0) {
    throw new ConfigError({
      operation: 'leftPad',
      expected: 'at least one prompt, and a token in each',
      received: prompts.length === 0 ? 'no prompt' : `an empty prompt at index ${empty}`,
    });
  }
  const length = prompts.reduce((longest, prompt) => Math.max(longest, prompt.length), 0);
  const shape = [prompts.length, length];
  const inputIds = new Int32Array(prompts.length * length).fill(padTokenId);
  const attentionMask = new Int32Array(prompts.length * length);
  prompts.forEach((prompt, row) => {
    const end = (row + 1) * length;
    inputIds.set(prompt, end - prompt.length);
    attentionMask.fill(1, end - prompt.length, end);
  });
  return { inputIds: tensor(inputIds, shape), attentionMask: tensor(attentionMask, shape) };
}
