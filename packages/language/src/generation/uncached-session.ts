import {
  argMax,
  ConfigError,
  cast,
  concat,
  gather,
  reshape,
  sliceAxis,
  type Tensor,
  tensor,
} from '@ocelli/core-tensor';
import type { DecoderHooks, DecoderPlace } from '../llama/decoder-layer.js';
import { maskedPositions, sequenceSize, type TokenInput } from '../llama/input.js';
import type { Llama } from '../llama/llama.js';
import { type DecoderSession, type Logits, repeatedRows } from './decoder-session.js';
import { rowsOf } from './prompt.js';

export interface UncachedSessionOptions {
  /** For the places of the prompt. */
  readonly hooks?: DecoderHooks | undefined;
  /** For each later place by itself. */
  readonly stepHooks?: DecoderHooks | undefined;
}

/**
 * A session that remembers tokens alone and reads all of them again at every step, through `model.forward`: slow, and
 * what a cache is compared with.
 */
export function uncachedSession(model: Llama, { hooks, stepHooks }: UncachedSessionOptions = {}): DecoderSession {
  let prompt: TokenInput = {};
  let promptTokens = 0;
  let mask: number[][] = [];
  /** Of each row: the prompt it goes on from, and what came behind it. */
  let rows: { readonly origin: number; readonly tokens: readonly number[] }[] = [];

  const read = async (): Promise<Logits> => {
    const origins = Int32Array.from(rows, ({ origin }) => origin);
    const count = rows[0]!.tokens.length;
    const answer = tensor(Int32Array.from(rows.flatMap(({ tokens }) => tokens)), [rows.length, count]);
    const filled = rows.map(({ origin, tokens }) => [...mask[origin]!, ...tokens.map(() => 1)]);
    const length = promptTokens + count;
    const attentionMask = tensor(Int32Array.from(filled.flat()), [rows.length, length]);
    const input = joined(model, prompt, origins, answer);
    const { logits } = model.forward({
      ...input,
      attentionMask,
      positions: maskedPositions(attentionMask),
      hooks: hooksByPlace(promptTokens, prompt.visualMask && gather(prompt.visualMask, origins), hooks, stepHooks),
    });
    const last = Int32Array.from(filled, (row, index) => index * length + row.lastIndexOf(1));
    const next = gather(reshape(logits, [rows.length * length, model.config.vocabSize]), last);
    return {
      likeliest: async () => Int32Array.from((await argMax(next, -1).data()) as Int32Array),
      values: async () => Float32Array.from((await next.data()) as Float32Array),
    };
  };

  const reorder = async (order: Int32Array) => {
    rows = Array.from(order, (row) => rows[row]!);
  };

  return {
    async prefill(input) {
      const [batch, tokens] = sequenceSize('uncachedSession', input, model.config.hiddenSize);
      prompt = input;
      promptTokens = tokens;
      mask = input.attentionMask
        ? (await rowsOf(input.attentionMask)).map((row) => row.map((value) => (value === 0 ? 0 : 1)))
        : Array.from({ length: batch }, () => new Array<number>(tokens).fill(1));
      rows = mask.map((_, origin) => ({ origin, tokens: [] }));
      return read();
    },
    async step(tokens) {
      if (rows.length !== tokens.length) {
        throw new ConfigError({
          operation: 'uncachedSession',
          expected: `a token for each of ${rows.length} rows`,
          received: `${tokens.length} tokens`,
        });
      }
      rows = rows.map(({ origin, tokens: earlier }, row) => ({ origin, tokens: [...earlier, tokens[row]!] }));
      return read();
    },
    reorder,
    expand: (times) => reorder(repeatedRows(rows.length, times)),
    close() {
      prompt = {};
      rows = [];
    },
  };
}

/** Prompts in the order of their rows, and behind them the answers [batch, count]. */
function joined(model: Llama, { inputIds, inputsEmbeds }: TokenInput, origins: Int32Array, answer: Tensor): TokenInput {
  const hasAnswer = answer.shape[1]! > 0;
  if (inputIds) {
    const ids = gather(inputIds.dtype === 'int32' ? inputIds : cast(inputIds, 'int32'), origins);
    return { inputIds: hasAnswer ? concat([ids, answer], 1) : ids };
  }
  const vectors = gather(inputsEmbeds!, origins);
  return { inputsEmbeds: hasAnswer ? concat([vectors, model.embed(answer)], 1) : vectors };
}

/** Hooks that see the prompt by itself and each later place by itself, as they do beside a cache. */
function hooksByPlace(
  promptTokens: number,
  visualMask: Tensor | undefined,
  hooks: DecoderHooks | undefined,
  stepHooks: DecoderHooks | undefined,
): DecoderHooks {
  const split =
    (name: keyof DecoderHooks) =>
    (hidden: Tensor, { layer }: DecoderPlace) => {
      const [ofPrompt, ofStep] = [hooks?.[name], stepHooks?.[name]];
      if (!ofPrompt && !ofStep) return hidden;
      const first = sliceAxis(hidden, 1, 0, promptTokens);
      const parts = [ofPrompt?.(first, { layer, visualMask }) ?? first];
      for (let place = promptTokens; place < hidden.shape[1]!; place++) {
        const x = sliceAxis(hidden, 1, place, place + 1);
        parts.push(ofStep?.(x, { layer, visualMask: undefined }) ?? x);
      }
      return parts.length === 1 ? parts[0]! : concat(parts, 1);
    };
  return { beforeLayer: split('beforeLayer'), beforeAttention: split('beforeAttention') };
}
