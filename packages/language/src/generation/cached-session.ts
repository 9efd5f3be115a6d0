import { ConfigError, dispose, type Tensor, tensor } from '@ocelli/core-tensor';
import type { DecoderHooks } from '../llama/decoder-layer.js';
import type { Llama } from '../llama/llama.js';
import { type DecoderSession, type Logits, repeatedRows } from './decoder-session.js';
import { type DecodeState, decodePrograms, gatherRows } from './programs.js';
import { isLeftPadded, leftPadded } from './prompt.js';

export interface CachedSessionOptions {
  /** Tokens beyond the prompt that a row can read. */
  readonly capacity: number;
  /** While the prompt is read. Prompts are then padded on the left. */
  readonly hooks?: DecoderHooks | undefined;
  /** While the answer is written. */
  readonly stepHooks?: DecoderHooks | undefined;
}

/** Caches have a multiple of so many places, so that few programs serve many lengths. */
const placesStep = 64;

/**
 * A session that keeps keys and values where the engine is: a step is one run of one compiled program.
 *
 * @throws ConfigError from `step` beyond the capacity, and from `prefill` for prompts that it cannot read
 */
export function cachedSession(model: Llama, { capacity, hooks, stepHooks }: CachedSessionOptions): DecoderSession {
  const operation = 'cachedSession';
  const programs = decodePrograms(model, hooks, stepHooks);
  let state: DecodeState | undefined;
  let tokensRead = 0;
  let batch = 0;

  const current = (): DecodeState => {
    if (state) return state;
    throw new ConfigError({ operation, expected: 'a prompt that was read', received: 'a session without one' });
  };

  const reorder = async (rows: Int32Array) => {
    if (rows.length === batch && rows.every((row, index) => row === index)) return;
    const { cache, ...scores } = current();
    state = { ...scores, cache: await gatherRows(cache, tensor(rows)) };
    batch = rows.length;
    dispose([...cache.keys, ...cache.values]);
  };

  return {
    async prefill(prompt) {
      if (hooks && !(await isLeftPadded(prompt))) {
        throw new ConfigError({
          operation,
          expected: 'prompts padded on the left, whose places the hooks know',
          received: 'padding on the right',
          remedy: 'Pad prompts on the left.',
        });
      }
      const padded = await leftPadded(operation, model.config, prompt);
      const promptLength = (padded.input.inputIds ?? padded.input.inputsEmbeds)!.shape[1]!;
      const places = Math.ceil((promptLength + capacity) / placesStep) * placesStep;
      batch = padded.batch;
      state = await programs.prefill(padded.input, places);
      tokensRead = 0;
      return logitsOf(state);
    },
    async step(tokens) {
      if (++tokensRead > capacity) {
        throw new ConfigError({
          operation,
          expected: `at most ${capacity} tokens beyond the prompt`,
          received: 'one more',
          remedy: 'Open the session with a greater capacity.',
        });
      }
      const { cache, logits, likeliest } = current();
      dispose([logits, likeliest]);
      state = await programs.step(tensor(tokens), cache);
      return logitsOf(state);
    },
    reorder,
    expand: (times) => reorder(repeatedRows(batch, times)),
    close() {
      if (state) dispose([state.logits, state.likeliest, ...state.cache.keys, ...state.cache.values]);
      state = undefined;
    },
  };
}

function logitsOf({ logits, likeliest }: { logits: Tensor; likeliest: Tensor }): Logits {
  return {
    likeliest: async () => Int32Array.from((await likeliest.data()) as Int32Array),
    values: async () => Float32Array.from((await logits.data()) as Float32Array),
  };
}
