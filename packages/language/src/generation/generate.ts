import { ConfigError } from '@ocelli/core-tensor';
import type { Llama } from '../llama/llama.js';
import { beamSearch } from './beam-search.js';
import { decodeRows } from './decode-rows.js';
import type { GeneratedRow, GenerateOptions, GenerateStreamOptions } from './generate-options.js';
import type { GeneratedToken } from './generating-row.js';
import { planGeneration } from './plan.js';

/**
 * Answers prompts, all rows of the batch at once, until all have ended: greedily, by sampling (`doSample`), or by beam
 * search (`numBeams`). Settings and their defaults are those of Hugging Face's `generate`, and so are the choices.
 *
 * Prompts of unequal length are padded, on the left if possible, and need an `attentionMask`; without one, ids that are
 * `padTokenId` are padding. For prompts given as vectors, processors of scores know the answer's ids only.
 *
 * @returns a row per prompt, or `numReturnSequences` of them beside each other
 * @throws ConfigError if a setting or a prompt is invalid, or both need more positions than the model has
 * @throws ShapeError if mask and prompt do not fit
 * @throws the reason of `signal`, once it is aborted
 */
export async function generate(model: Llama, options: GenerateOptions): Promise<GeneratedRow[]> {
  const { onToken, ...others } = options;
  const plan = await planGeneration(model, others);
  const { numBeams } = plan.config;
  if (numBeams > 1) {
    if (onToken) throw noTokensYet('onToken', numBeams);
    return beamSearch(plan);
  }
  const rows = plan.prompts.batch * plan.config.numReturnSequences;
  const steps = decodeRows(plan);
  try {
    for (let index = 0; ; index++) {
      const { done, value } = await steps.next();
      if (done) return value;
      const tokens = new Array<number | undefined>(rows).fill(undefined);
      for (const { row, token } of value) tokens[row] = token;
      onToken?.(tokens, index);
    }
  } finally {
    await steps.return([]);
  }
}

/**
 * As {@link generate}, token by token as they are chosen: those of one step follow each other in the order of their rows.
 * Whoever leaves the loop early ends the generation.
 *
 * @throws ConfigError as {@link generate}, and for beam search, whose tokens are certain only at its end
 */
export async function* generateStream(
  model: Llama,
  options: GenerateStreamOptions,
): AsyncGenerator<GeneratedToken, void> {
  const plan = await planGeneration(model, options);
  if (plan.config.numBeams > 1) throw noTokensYet('generateStream', plan.config.numBeams);
  for await (const tokens of decodeRows(plan)) yield* tokens;
}

function noTokensYet(operation: string, numBeams: number): ConfigError {
  return new ConfigError({
    operation,
    expected: 'numBeams 1, as the tokens of beam search are certain only at its end',
    received: `numBeams ${numBeams}`,
    remedy: 'Take generate without onToken for beam search.',
  });
}
