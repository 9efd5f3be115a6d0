import {
  foldStream,
  initializers,
  Linear,
  Module,
  type StreamKey,
  select,
  type Tensor,
  tanh,
} from '@ocelli/core-tensor';
import { extendedAttentionMask } from './attention-mask.js';
import { parseRobertaConfig, type RobertaConfig, type RobertaConfigInput } from './config.js';
import { RobertaEmbeddings, type RobertaTokens } from './embeddings.js';
import { RobertaLayer } from './layer.js';

/** Tokens, and which of them are seen. */
export interface RobertaInputs extends RobertaTokens {
  /** 1 where a token is seen, 0 where not: [batch, tokens], or [batch, tokens, tokens]. Default: all are. */
  readonly attentionMask?: Tensor | undefined;
}

export interface RobertaForwardOptions {
  /** Drops what the configuration says; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/** What the encoder computes; a tensor that nobody asks for costs nothing. */
export interface RobertaOutput {
  /** Embeddings, then the output of each block: numHiddenLayers + 1 of [batch, tokens, width]. */
  readonly hiddenStates: readonly Tensor[];
  /** Output of the last block. [batch, tokens, width] */
  readonly lastHiddenState: Tensor;
  /** tanh(W·x + b) of the first token, [batch, width]; undefined for an encoder without that layer. */
  readonly poolerOutput: Tensor | undefined;
}

/**
 * The text encoder RoBERTa (Liu et al. 2019, "RoBERTa: A Robustly Optimized BERT Pretraining Approach"). Parameters are
 * named as in Hugging Face's `RobertaModel`, and start as there.
 */
export class Roberta extends Module {
  readonly config: RobertaConfig;
  readonly embeddings: RobertaEmbeddings;
  readonly encoder: { readonly layer: readonly RobertaLayer[] };
  readonly pooler: { readonly dense: Linear } | undefined;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: RobertaConfigInput = {}) {
    super();
    this.config = parseRobertaConfig(config);
    const { hiddenSize, numHiddenLayers, addPoolingLayer, initializerRange } = this.config;
    this.embeddings = new RobertaEmbeddings(this.config);
    this.encoder = { layer: Array.from({ length: numHiddenLayers }, () => new RobertaLayer(this.config)) };
    const initializer = initializers.normal(0, initializerRange);
    this.pooler = addPoolingLayer ? { dense: new Linear(hiddenSize, hiddenSize, { initializer }) } : undefined;
  }

  /** The blocks, for who runs them one by one: `embeddings.forward`, then each with `extendedAttentionMask`. */
  get layers(): readonly RobertaLayer[] {
    return this.encoder.layer;
  }

  /**
   * Tokens → all hidden states.
   *
   * @throws ShapeError unless the tokens are given once, in a batch, and are no more than there are positions
   */
  forward(inputs: RobertaInputs, { dropoutKey }: RobertaForwardOptions = {}): RobertaOutput {
    const key = (use: number) => dropoutKey && foldStream(dropoutKey, use);
    const mask = inputs.attentionMask && extendedAttentionMask(inputs.attentionMask);
    const hiddenStates = [this.embeddings.forward(inputs, key(0))];
    this.layers.forEach((layer, index) => {
      hiddenStates.push(layer.forward(hiddenStates.at(-1)!, mask, { dropoutKey: key(1 + index) }));
    });
    const lastHiddenState = hiddenStates.at(-1)!;
    return { hiddenStates, lastHiddenState, poolerOutput: this.pool(lastHiddenState) };
  }

  private pool(state: Tensor): Tensor | undefined {
    return this.pooler && tanh(this.pooler.dense.forward(select(state, 1, 0)));
  }
}
