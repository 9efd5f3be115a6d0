import {
  add,
  attention,
  dropout,
  foldStream,
  gelu,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  reshape,
  type StreamKey,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { isSeen } from '../mask.js';

/** Sizes of a {@link CrossModalLayer}. */
export interface CrossModalLayerConfig {
  readonly hiddenSize: number;
  readonly numHeads: number;
  /** Width inside the feed-forward part. */
  readonly intermediateSize: number;
  readonly layerNormEps: number;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  readonly initializerRange: number;
}

function linear(inputs: number, outputs: number, { initializerRange }: CrossModalLayerConfig): Linear {
  return new Linear(inputs, outputs, { initializer: initializers.normal(0, initializerRange) });
}

/** A linear layer whose output is added to what it came from, which is normalised then: LN(x + dense(y)). */
class ResidualOutput extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  private readonly dropoutRate: number;

  constructor(inputs: number, config: CrossModalLayerConfig) {
    super();
    this.dense = linear(inputs, config.hiddenSize, config);
    this.LayerNorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.dropoutRate = config.hiddenDropout;
  }

  /** y [batch, tokens, inputs], residual [batch, tokens, width] → [batch, tokens, width] */
  forward(y: Tensor, residual: Tensor, key: StreamKey | undefined): Tensor {
    return this.LayerNorm.forward(add(dropout(this.dense.forward(y), { rate: this.dropoutRate, key }), residual));
  }
}

/** Multi-head attention of own tokens to a context, which may be themselves, and what follows it. */
class ContextAttention extends Module {
  readonly self: { readonly query: Linear; readonly key: Linear; readonly value: Linear };
  readonly output: ResidualOutput;
  private readonly heads: number;
  private readonly dropoutRate: number;

  constructor(config: CrossModalLayerConfig) {
    super();
    const { hiddenSize } = config;
    this.self = {
      query: linear(hiddenSize, hiddenSize, config),
      key: linear(hiddenSize, hiddenSize, config),
      value: linear(hiddenSize, hiddenSize, config),
    };
    this.output = new ResidualOutput(hiddenSize, config);
    this.heads = config.numHeads;
    this.dropoutRate = config.attentionDropout;
  }

  /** x [batch, tokens, width], context [batch, keys, width], mask [batch, keys] → [batch, tokens, width] */
  forward(x: Tensor, context: Tensor, mask: Tensor | undefined, key: (use: number) => StreamKey | undefined): Tensor {
    const heads = (projection: Linear, states: Tensor) => splitHeads(projection.forward(states), this.heads);
    const mixed = attention(heads(this.self.query, x), heads(this.self.key, context), heads(this.self.value, context), {
      mask: mask && reshape(isSeen(mask), [mask.shape[0]!, 1, 1, mask.shape[1]!]),
      onWeights: (weights) => dropout(weights, { rate: this.dropoutRate, key: key(0) }),
    });
    return this.output.forward(mergeHeads(mixed), x, key(1));
  }
}

/** The context of a {@link CrossModalLayer}, and who is seen. */
export interface CrossModalLayerOptions {
  /** Tokens of the other modality, [batch, other tokens, width]. */
  readonly context: Tensor;
  /** 0 where an own token is padding: [batch, tokens]. Default: none is. */
  readonly mask?: Tensor | undefined;
  /** 0 where a token of the context is padding: [batch, other tokens]. Default: none is. */
  readonly contextMask?: Tensor | undefined;
  /** Drops what the configuration says; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/**
 * Post-norm block of one modality: self-attention, attention to the other modality, feed-forward, each added and
 * normalised. Parameters are named as in ManagerTower's `BertCrossLayer`.
 */
export class CrossModalLayer extends Module {
  readonly attention: ContextAttention;
  readonly crossattention: ContextAttention;
  readonly intermediate: { readonly dense: Linear };
  readonly output: ResidualOutput;

  constructor(config: CrossModalLayerConfig) {
    super();
    this.attention = new ContextAttention(config);
    this.crossattention = new ContextAttention(config);
    this.intermediate = { dense: linear(config.hiddenSize, config.intermediateSize, config) };
    this.output = new ResidualOutput(config.intermediateSize, config);
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, { context, mask, contextMask, dropoutKey }: CrossModalLayerOptions): Tensor {
    const key = (use: number) => dropoutKey && foldStream(dropoutKey, use);
    const own = this.attention.forward(x, x, mask, (use) => key(use));
    const both = this.crossattention.forward(own, context, contextMask, (use) => key(2 + use));
    return this.output.forward(gelu(this.intermediate.dense.forward(both)), both, key(4));
  }
}
