import {
  add,
  attention,
  ConfigError,
  concat,
  crossEntropy,
  Embedding,
  expandDims,
  full,
  initializers,
  Linear,
  linear,
  Module,
  RMSNorm,
  reshape,
  select,
  sliceAxis,
  sum,
  type Tensor,
} from '@ocelli/core-tensor';
import type { Attend } from './attention.js';
import {
  append,
  appendFilled,
  attendInPieces,
  cacheMask,
  emptyAnswer,
  filledPlaces,
  type KeyValueCache,
} from './cache.js';
import { type LlamaConfig, type LlamaConfigInput, parseLlamaConfig } from './config.js';
import { type DecoderHooks, LlamaDecoderLayer } from './decoder-layer.js';
import { isToken, maskedPositions, plainPositions, requireSize, sequenceSize, type TokenInput } from './input.js';
import { rotaryTablesOf } from './rotary.js';

export interface LlamaInput extends TokenInput {
  /** [1 or batch, tokens]. Default: 0, 1, 2, …, padding counted. */
  readonly positions?: Tensor | undefined;
  /** Ids to predict, [batch, tokens], int32 or int64; −100 counts for nothing. Token t is predicted from those before. */
  readonly labels?: Tensor | undefined;
  readonly hooks?: DecoderHooks | undefined;
}

/** What the decoder computes; a tensor that nobody asks for costs nothing. */
export interface LlamaOutput {
  /** [batch, tokens, vocabSize] */
  readonly logits: Tensor;
  /** Input of the first layer, outputs of all layers but the last, and the final norm: numHiddenLayers + 1 of [batch, tokens, hiddenSize]. */
  readonly hiddenStates: readonly Tensor[];
  /** Mean cross-entropy of all labels that count in the batch; NaN if none does. Only with labels. */
  readonly loss: Tensor | undefined;
}

export interface PrefillInput extends TokenInput {
  /** Tokens of the answer that the cache holds. */
  readonly capacity: number;
  readonly hooks?: DecoderHooks | undefined;
}

/** What a prompt or a step gives. */
export interface DecodeOutput {
  /** Of the token after the last one, [batch, vocabSize]. */
  readonly logits: Tensor;
  readonly cache: KeyValueCache;
}

export interface DecodeInput {
  /** The newest token of each row, [batch], int32 or int64. */
  readonly inputIds: Tensor;
  readonly cache: KeyValueCache;
  /** Of these tokens, int32 or int64 [batch]. Default: those that follow the cache's. */
  readonly positions?: Tensor | undefined;
  readonly hooks?: DecoderHooks | undefined;
}

class LlamaModel extends Module {
  readonly embed_tokens: Embedding;
  readonly layers: readonly LlamaDecoderLayer[];
  readonly norm: RMSNorm;

  constructor(config: LlamaConfig) {
    super();
    const { vocabSize, hiddenSize, numHiddenLayers, padTokenId, initializerRange } = config;
    this.embed_tokens = new Embedding(vocabSize, hiddenSize, {
      initializer: initializers.normal(0, initializerRange),
      ...(padTokenId === null ? {} : { paddingIndex: padTokenId }),
    });
    this.layers = Array.from({ length: numHiddenLayers }, (_, index) => new LlamaDecoderLayer(config, index));
    this.norm = new RMSNorm(hiddenSize, config.rmsNormEps);
  }
}

/**
 * LLaMA-like decoder with a language-model head (Touvron et al. 2023): LLaMA 1–3, Vicuna, and Qwen2 by its biases.
 * Parameters are named as in Hugging Face's `LlamaForCausalLM`; a tied head has none of its own.
 */
export class Llama extends Module {
  readonly config: LlamaConfig;
  readonly model: LlamaModel;
  readonly lm_head: Linear | undefined;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: LlamaConfigInput = {}) {
    super();
    this.config = parseLlamaConfig(config);
    this.model = new LlamaModel(this.config);
    const { vocabSize, hiddenSize, tieWordEmbeddings, initializerRange } = this.config;
    const initializer = initializers.normal(0, initializerRange);
    this.lm_head = tieWordEmbeddings ? undefined : new Linear(hiddenSize, vocabSize, { bias: false, initializer });
  }

  /** Rows of the token table. ids [...] → [..., hiddenSize] */
  embed(ids: Tensor): Tensor {
    return this.model.embed_tokens.forward(ids);
  }

  /**
   * A whole sequence at once: logits, hidden states, and with labels the loss.
   *
   * @throws ConfigError unless exactly one of `inputIds` and `inputsEmbeds` is given
   * @throws ShapeError if the inputs do not fit each other or the configuration
   */
  forward(input: LlamaInput): LlamaOutput {
    const operation = 'Llama.forward';
    const [batch, tokens] = sequenceSize(operation, input, this.config.hiddenSize);
    const { attentionMask, labels, positions = plainPositions(tokens), hooks } = input;
    requireSize(operation, 'positions', positions, positions.shape[0] === 1 ? 1 : batch, tokens);
    requireSize(operation, 'labels', labels, batch, tokens);
    const hiddenStates = this.decode(this.vectors(input), positions, () => causalAttention(attentionMask), hooks);
    const logits = this.head(hiddenStates.at(-1)!);
    return { logits, hiddenStates, loss: labels && crossEntropy(logits, shifted(labels)) };
  }

  /**
   * Reads a prompt and keeps its keys and values. Prompts of unequal length are padded on the left.
   *
   * @throws ConfigError if the capacity is no positive integer
   * @throws ShapeError as {@link forward}
   */
  prefill(input: PrefillInput): DecodeOutput {
    const [batch, tokens] = sequenceSize('Llama.prefill', input, this.config.hiddenSize);
    const { attentionMask, capacity, hooks } = input;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new ConfigError({
        operation: 'Llama.prefill',
        expected: 'a capacity of at least one token',
        received: String(capacity),
      });
    }
    const keys: Tensor[] = [];
    const values: Tensor[] = [];
    const attend = causalAttention(attentionMask);
    const keeping: Attend = (query, key, value) => {
      keys.push(key);
      values.push(value);
      return attend(query, key, value);
    };
    const positions = attentionMask ? maskedPositions(attentionMask) : plainPositions(tokens);
    const hidden = this.decode(this.vectors(input), positions, () => keeping, hooks).at(-1)!;
    const prompt = { keys, values, filled: filledPlaces(attentionMask, batch, tokens) };
    const nextPosition = sum(prompt.filled, { axes: 1 });
    return {
      logits: this.head(select(hidden, 1, -1)),
      cache: { prompt, answer: emptyAnswer(prompt, capacity), nextPosition },
    };
  }

  /**
   * Reads one more token of each row: the same program for every step. A compiled step should not return the prompt's
   * part of the cache, which would copy it.
   */
  decodeStep({ inputIds, cache, positions = cache.nextPosition, hooks }: DecodeInput): DecodeOutput {
    const { prompt, answer } = cache;
    const filled = appendFilled(answer.filled);
    const mask = cacheMask(prompt, filled);
    const keys: Tensor[] = [];
    const values: Tensor[] = [];
    const attend = (layer: number): Attend => {
      const earlier = { keys: prompt.keys[layer]!, values: prompt.values[layer]! };
      return (query, key, value) => {
        const later = { keys: append(answer.keys[layer]!, key), values: append(answer.values[layer]!, value) };
        keys.push(later.keys);
        values.push(later.values);
        return attendInPieces(query, [earlier, later], mask);
      };
    };
    const vectors = expandDims(this.embed(reshape(inputIds, [-1])), 1); // [batch, 1, hiddenSize]
    const hidden = this.decode(vectors, reshape(positions, [-1, 1]), attend, hooks).at(-1)!;
    return {
      logits: this.head(select(hidden, 1, 0)),
      cache: { prompt, answer: { keys, values, filled }, nextPosition: add(positions, 1) },
    };
  }

  private vectors({ inputIds, inputsEmbeds }: TokenInput): Tensor {
    return inputIds ? this.embed(inputIds) : inputsEmbeds!;
  }

  /** Hidden states of vectors [batch, tokens, hiddenSize]; the last one is after the final norm. */
  private decode(
    vectors: Tensor,
    positions: Tensor,
    attend: (layer: number) => Attend,
    hooks: DecoderHooks | undefined,
  ): Tensor[] {
    const rotary = rotaryTablesOf(this.config, positions);
    let hidden = vectors;
    const states = [hidden];
    this.model.layers.forEach((layer, index) => {
      hidden = layer.forward(hidden, rotary, attend(index), hooks);
      states.push(hidden);
    });
    states[states.length - 1] = this.model.norm.forward(hidden);
    return states;
  }

  /** hidden [..., hiddenSize] → [..., vocabSize] */
  private head(hidden: Tensor): Tensor {
    return this.lm_head ? this.lm_head.forward(hidden) : linear(hidden, this.model.embed_tokens.weight);
  }
}

/** Attention to earlier tokens, and to those that are no padding. */
function causalAttention(attentionMask: Tensor | undefined): Attend {
  const [batch, tokens] = attentionMask?.shape ?? [];
  const mask = attentionMask && reshape(isToken(attentionMask), [batch!, 1, 1, tokens!]);
  return (queries, keys, values) => attention(queries, keys, values, { causal: true, mask });
}

/** labels [batch, tokens] moved to the places that predict them; the last place predicts nothing. */
function shifted(labels: Tensor): Tensor {
  return concat([sliceAxis(labels, 1, 1), full([labels.shape[0]!, 1], -100, labels.dtype)], 1);
}
