import {
  add,
  attention,
  ConfigError,
  cast,
  concat,
  crossEntropy,
  Embedding,
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
  tensor,
  where,
  withVisualMask,
} from '@ocelli/core-tensor';
import type { Attend } from './attention.js';
import { append, attendCached, decodingMask, type KeyValueCache, masked, visiblePlaces, withRoom } from './cache.js';
import { type LlamaConfig, type LlamaConfigInput, parseLlamaConfig } from './config.js';
import { type DecoderHooks, type DecoderPlace, LlamaDecoderLayer } from './decoder-layer.js';
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
  /** Places of the cache: those of the prompt, padding included, and one for each token to come. */
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
  /** What follows in each row: [batch] or [batch, tokens], int32 or int64, without padding. */
  readonly inputIds: Tensor;
  readonly cache: KeyValueCache;
  /** Of the first of these tokens, int32 or int64 [batch]. Default: those that follow the cache's. */
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
    this.layers = Array.from({ length: numHiddenLayers }, () => new LlamaDecoderLayer(config));
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
    const { attentionMask, labels, positions = plainPositions(tokens), hooks, visualMask } = input;
    requireSize(operation, 'positions', positions, positions.shape[0] === 1 ? 1 : batch, tokens);
    requireSize(operation, 'labels', labels, batch, tokens);
    const attend = causalAttention(attentionMask);
    const context = { hooks, visualMask, attentionMask };
    const hiddenStates = this.decode(this.vectors(input), positions, () => attend, context);
    const logits = this.head(hiddenStates.at(-1)!);
    return { logits, hiddenStates, loss: labels && crossEntropy(logits, shifted(labels)) };
  }

  /**
   * Reads a prompt and keeps its keys and values. Prompts of unequal length are padded on the left.
   *
   * @throws ConfigError if the capacity is no integer, or does not hold the prompt
   * @throws ShapeError as {@link forward}
   */
  prefill(input: PrefillInput): DecodeOutput {
    const [batch, tokens] = sequenceSize('Llama.prefill', input, this.config.hiddenSize);
    const { attentionMask, capacity, hooks, visualMask } = input;
    if (!Number.isInteger(capacity) || capacity < tokens) {
      throw new ConfigError({
        operation: 'Llama.prefill',
        expected: `a capacity of at least the prompt's ${tokens} tokens`,
        received: String(capacity),
      });
    }
    const keys: Tensor[] = [];
    const values: Tensor[] = [];
    const attend = causalAttention(attentionMask);
    const keeping: Attend = (query, key, value) => {
      keys.push(withRoom(key, capacity));
      values.push(withRoom(value, capacity));
      return attend(query, key, value);
    };
    const positions = attentionMask ? maskedPositions(attentionMask) : plainPositions(tokens);
    const context = { hooks, visualMask, attentionMask };
    const hidden = this.decode(this.vectors(input), positions, () => keeping, context).at(-1)!;
    const visible = visiblePlaces(attentionMask, batch, { tokens, capacity });
    const nextPosition = sum(sliceAxis(visible, 1, 0, tokens), { axes: 1 });
    const length = tensor(Int32Array.of(tokens), []);
    return { logits: this.head(select(hidden, 1, -1)), cache: { keys, values, visible, length, nextPosition } };
  }

  /**
   * Reads what follows in each row; the same program serves every step. A compiled step should be given the cache for
   * good, and not return its `visible`, which stays the same.
   */
  decodeStep({ inputIds, cache, positions = cache.nextPosition, hooks }: DecodeInput): DecodeOutput {
    const [batch, tokens = 1] = inputIds.shape as [number, number?];
    const mask = decodingMask(cache, tokens);
    const keys: Tensor[] = [];
    const values: Tensor[] = [];
    const attend = (layer: number): Attend => {
      const held = { keys: cache.keys[layer]!, values: cache.values[layer]! };
      return (query, key, value) => {
        keys.push(append(held.keys, key, cache));
        values.push(append(held.values, value, cache));
        return attendCached(query, held, { keys: key, values: value }, mask);
      };
    };
    const vectors = this.embed(reshape(inputIds, [batch, tokens])); // [batch, tokens, hiddenSize]
    const places = add(cast(reshape(positions, [batch, 1]), 'int32'), plainPositions(tokens));
    const hidden = this.decode(vectors, places, attend, { hooks, visualMask: undefined }).at(-1)!;
    return {
      logits: this.head(select(hidden, 1, -1)),
      cache: {
        keys,
        values,
        visible: cache.visible,
        length: add(cache.length, tokens),
        nextPosition: add(cast(positions, 'int32'), tokens),
      },
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
    { hooks, ...masks }: { readonly hooks?: DecoderHooks | undefined } & Omit<DecoderPlace, 'layer'>,
  ): Tensor[] {
    const rotary = rotaryTablesOf(this.config, positions);
    let hidden = vectors;
    const states = [hidden];
    withVisualMask(masks.visualMask, () => {
      this.model.layers.forEach((layer, index) => {
        hidden = layer.forward(hidden, rotary, attend(index), { hooks, place: { layer: index, ...masks } });
        states.push(hidden);
      });
    });
    states[states.length - 1] = this.model.norm.forward(hidden);
    return states;
  }

  /** hidden [..., hiddenSize] → [..., vocabSize] */
  private head(hidden: Tensor): Tensor {
    return this.lm_head ? this.lm_head.forward(hidden) : linear(hidden, this.model.embed_tokens.weight);
  }
}

/**
 * Attention to earlier tokens, and to those that are no padding. The two are added, so that a token of padding, whom
 * nobody reads, looks where the official code lets it: at padding in front of it and at tokens behind.
 */
function causalAttention(attentionMask: Tensor | undefined): Attend {
  const [batch, tokens] = attentionMask?.shape ?? [];
  const mask = attentionMask && reshape(where(isToken(attentionMask), 0, masked), [batch!, 1, 1, tokens!]);
  return (queries, keys, values) => attention(queries, keys, values, { causal: true, mask });
}

/** labels [batch, tokens] moved to the places that predict them; the last place predicts nothing. */
function shifted(labels: Tensor): Tensor {
  return concat([sliceAxis(labels, 1, 1), full([labels.shape[0]!, 1], -100, labels.dtype)], 1);
}
