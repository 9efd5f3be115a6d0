import {
  activations,
  add,
  attention,
  dropout,
  foldStream,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  type StreamKey,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import type { RobertaConfig } from './config.js';

function linear(inputs: number, outputs: number, { initializerRange }: RobertaConfig): Linear {
  return new Linear(inputs, outputs, { initializer: initializers.normal(0, initializerRange) });
}

/** A linear layer whose output is added to the residual stream, which is normalised then: LN(x + dense(y)). */
class ResidualOutput extends Module {
  readonly dense: Linear;
  readonly LayerNorm: LayerNorm;
  private readonly dropoutRate: number;

  constructor(inputs: number, config: RobertaConfig) {
    super();
    this.dense = linear(inputs, config.hiddenSize, config);
    this.LayerNorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.dropoutRate = config.hiddenDropoutProb;
  }

  /** y [batch, tokens, inputs], residual [batch, tokens, width] → [batch, tokens, width] */
  forward(y: Tensor, residual: Tensor, dropoutKey: StreamKey | undefined): Tensor {
    const added = dropout(this.dense.forward(y), { rate: this.dropoutRate, key: dropoutKey });
    return this.LayerNorm.forward(add(added, residual));
  }
}

class SelfAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  private readonly heads: number;
  private readonly dropoutRate: number;

  constructor(config: RobertaConfig) {
    super();
    const { hiddenSize } = config;
    this.query = linear(hiddenSize, hiddenSize, config);
    this.key = linear(hiddenSize, hiddenSize, config);
    this.value = linear(hiddenSize, hiddenSize, config);
    this.heads = config.numAttentionHeads;
    this.dropoutRate = config.attentionProbsDropoutProb;
  }

  /** x [batch, tokens, width], mask added to the scores → [batch, tokens, width] */
  forward(x: Tensor, mask: Tensor | undefined, dropoutKey: StreamKey | undefined): Tensor {
    const [q, k, v] = [this.query, this.key, this.value].map((projection) =>
      splitHeads(projection.forward(x), this.heads),
    ) as [Tensor, Tensor, Tensor]; // each [batch, heads, tokens, head width]
    const onWeights = (weights: Tensor) => dropout(weights, { rate: this.dropoutRate, key: dropoutKey });
    return mergeHeads(attention(q, k, v, { mask, onWeights }));
  }
}

/** Options of {@link RobertaLayer}. */
export interface RobertaLayerOptions {
  /** Drops what the configuration says; without a key nothing is dropped, as in evaluation. */
  readonly dropoutKey?: StreamKey | undefined;
}

/** Post-norm transformer block: x = LN(x + attention(x)), then the same with the feed-forward part. */
export class RobertaLayer extends Module {
  readonly attention: { readonly self: SelfAttention; readonly output: ResidualOutput };
  readonly intermediate: { readonly dense: Linear };
  readonly output: ResidualOutput;
  private readonly config: RobertaConfig;

  constructor(config: RobertaConfig) {
    super();
    this.attention = { self: new SelfAttention(config), output: new ResidualOutput(config.hiddenSize, config) };
    this.intermediate = { dense: linear(config.hiddenSize, config.intermediateSize, config) };
    this.output = new ResidualOutput(config.intermediateSize, config);
    this.config = config;
  }

  /**
   * x [batch, tokens, width] → same
   *
   * @param mask added to the scores, or true where attention is allowed; broadcasts to [batch, heads, tokens, tokens].
   *   See {@link extendedAttentionMask}. Default: every token sees every token
   */
  forward(x: Tensor, mask?: Tensor, { dropoutKey }: RobertaLayerOptions = {}): Tensor {
    const key = (use: number) => dropoutKey && foldStream(dropoutKey, use);
    const attended = this.attention.output.forward(this.attention.self.forward(x, mask, key(0)), x, key(1));
    const hidden = activations[this.config.hiddenAct](this.intermediate.dense.forward(attended));
    return this.output.forward(hidden, attended, key(2));
  }
}
