import { ConfigError, parseConfig, tensor } from '@ocelli/core-tensor';
import { z } from 'zod';
import type { DecoderHooks } from '../llama/decoder-layer.js';
import { sequenceSize, type TokenInput } from '../llama/input.js';
import type { Llama } from '../llama/llama.js';
import { greedyPrograms } from './programs.js';

const id = z.int().nonnegative();

const optionsSchema = z.object({
  maxNewTokens: z.int().positive(),
  minNewTokens: z.int().nonnegative().default(0),
  eosTokenId: z
    .union([id.transform((each) => [each]), z.array(id)])
    .optional()
    .transform((ids) => ids ?? []),
  padTokenId: id.optional(),
});

export interface GenerateOptions extends TokenInput {
  /** Tokens a row gets at most. */
  readonly maxNewTokens: number;
  /** Tokens before which no end of sequence is chosen. Default: 0. */
  readonly minNewTokens?: number | undefined;
  /** A row ends with this token, or any of these. Default: none, so that every row gets `maxNewTokens`. */
  readonly eosTokenId?: number | readonly number[] | undefined;
  /** What rows that ended read on. Default: the model's, else the first end of sequence, else 0. No row depends on it. */
  readonly padTokenId?: number | undefined;
  /** Called with the token of each row, in the order of the rows, or `undefined` for a row that has ended. */
  readonly onToken?: ((tokens: readonly (number | undefined)[], step: number) => void) | undefined;
  /** While the prompt is read. Make them anew where the tensors they hold change: a program is compiled for each object. */
  readonly hooks?: DecoderHooks | undefined;
  /** While the answer is written. Default: none. */
  readonly stepHooks?: DecoderHooks | undefined;
}

/** What a prompt was answered with. */
export interface GeneratedRow {
  /** New tokens, the end of sequence included. */
  readonly tokens: readonly number[];
  /** `eos`: it ended by itself; `length`: it was cut at `maxNewTokens`. */
  readonly finishReason: 'eos' | 'length';
}

/** Answers have room for a multiple of so many tokens, so that few programs serve many lengths. */
const capacityStep = 16;

/**
 * Greedy decoding: the likeliest token, again and again, for all rows at once, until all have ended. Keys and values
 * stay where the engine is; a step is one run of one compiled program.
 *
 * Prompts of unequal length are padded on the left and need an `attentionMask`.
 *
 * @returns a row per prompt
 * @throws ConfigError if an option is invalid, or not exactly one of `inputIds` and `inputsEmbeds` is given
 * @throws ShapeError if mask and prompt do not fit
 */
export async function generate(model: Llama, options: GenerateOptions): Promise<GeneratedRow[]> {
  const { inputIds, inputsEmbeds, attentionMask, onToken, hooks, stepHooks } = options;
  const { maxNewTokens, minNewTokens, eosTokenId, padTokenId } = parseConfig('generate', optionsSchema, options);
  checkIds(model, [...eosTokenId, ...(padTokenId === undefined ? [] : [padTokenId])]);
  const [batch] = sequenceSize('generate', options, model.config.hiddenSize);
  const padding = padTokenId ?? model.config.padTokenId ?? eosTokenId[0] ?? 0;
  const capacity = Math.ceil(maxNewTokens / capacityStep) * capacityStep;
  const { prefill, step } = greedyPrograms(model, hooks, stepHooks);
  const forbiddenAt = (index: number) => (index < minNewTokens ? eosTokenId : []);

  const rows = Array.from({ length: batch }, () => ({ tokens: [] as number[], hasEnded: false }));
  let state = await prefill({ inputIds, inputsEmbeds, attentionMask }, capacity, forbiddenAt(0));
  for (let index = 0; ; index++) {
    const chosen = [...((await state.next.data()) as Int32Array)];
    const news = chosen.map((token, row) => (rows[row]!.hasEnded ? undefined : token));
    news.forEach((token, row) => {
      if (token === undefined) return;
      rows[row]!.tokens.push(token);
      rows[row]!.hasEnded = eosTokenId.includes(token);
    });
    onToken?.(news, index);
    if (index + 1 === maxNewTokens || rows.every(({ hasEnded }) => hasEnded)) break;
    const read = Int32Array.from(rows, ({ tokens, hasEnded }) => (hasEnded ? padding : tokens.at(-1)!));
    state = await step(tensor(read), state.cache, forbiddenAt(index + 1));
  }
  return rows.map(({ tokens, hasEnded }) => ({ tokens, finishReason: hasEnded ? 'eos' : 'length' }));
}

function checkIds({ config }: Llama, ids: readonly number[]): void {
  const unknown = ids.find((each) => each >= config.vocabSize);
  if (unknown !== undefined) {
    throw new ConfigError({
      operation: 'generate',
      expected: `token ids below the vocabulary's ${config.vocabSize}`,
      received: String(unknown),
    });
  }
}
