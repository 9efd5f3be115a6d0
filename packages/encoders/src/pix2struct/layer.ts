import {
  type ActivationName,
  activations,
  add,
  attention,
  initializers,
  Linear,
  Module,
  mergeHeads,
  mul,
  Parameter,
  rmsNorm,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import type { Pix2StructVisionConfig } from './config.js';

/** A layer without bias; its weight starts as N(0, initializerRange²) within ±2. */
function linear(inputs: number, outputs: number, { initializerRange }: Pix2StructVisionConfig): Linear {
  return new Linear(inputs, outputs, {
    bias: false,
    initializer: initializerRange === 0 ? initializers.zeros : initializers.truncatedNormal({ std: initializerRange }),
  });
}

/** T5's norm: no mean is taken off, nothing is added. */
export class Pix2StructNorm extends Module {
  readonly weight: Parameter;
  private readonly epsilon: number;

  constructor({ hiddenSize, layerNormEps, initializerFactor }: Pix2StructVisionConfig) {
    super();
    this.weight = new Parameter([hiddenSize], { initializer: initializers.constant(initializerFactor) });
    this.epsilon = layerNormEps;
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { epsilon: this.epsilon });
  }
}

/** T5's multi-head self-attention: no biases, and scores that are not divided by √(head width). */
export class Pix2StructAttention extends Module {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  private readonly heads: number;

  constructor(config: Pix2StructVisionConfig) {
    super();
    const inner = config.numAttentionHeads * config.headDim;
    this.query = linear(config.hiddenSize, inner, config);
    this.key = linear(config.hiddenSize, inner, config);
    this.value = linear(config.hiddenSize, inner, config);
    this.output = linear(inner, config.hiddenSize, config);
    this.heads = config.numAttentionHeads;
  }

  /**
   * x [batch, tokens, width] → same
   *
   * @param mask bool, true at tokens that may be attended to; broadcasts to [batch, heads, tokens, tokens]
   */
  forward(x: Tensor, mask?: Tensor): Tensor {
    const [q, k, v] = [this.query, this.key, this.value].map((projection) =>
      splitHeads(projection.forward(x), this.heads),
    ) as [Tensor, Tensor, Tensor]; // each [batch, heads, tokens, head width]
    return this.output.forward(mergeHeads(attention(q, k, v, { mask, scale: 1 })));
  }
}

/** wo(act(wi_0(x)) · wi_1(x)): T5's gated feed-forward part. */
export class Pix2StructFeedForward extends Module {
  readonly wi_0: Linear;
  readonly wi_1: Linear;
  readonly wo: Linear;
  private readonly activation: ActivationName;

  constructor(config: Pix2StructVisionConfig) {
    super();
    this.wi_0 = linear(config.hiddenSize, config.intermediateSize, config);
    this.wi_1 = linear(config.hiddenSize, config.intermediateSize, config);
    this.wo = linear(config.intermediateSize, config.hiddenSize, config);
    this.activation = config.hiddenAct;
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return this.wo.forward(mul(activations[this.activation](this.wi_0.forward(x)), this.wi_1.forward(x)));
  }
}

/** Pre-norm transformer block: x + attention(norm(x)), then the same with the feed-forward part. */
export class Pix2StructLayer extends Module {
  readonly attention: Pix2StructAttention;
  readonly mlp: Pix2StructFeedForward;
  readonly pre_mlp_layer_norm: Pix2StructNorm;
  readonly pre_attention_layer_norm: Pix2StructNorm;

  constructor(config: Pix2StructVisionConfig) {
    super();
    this.attention = new Pix2StructAttention(config);
    this.mlp = new Pix2StructFeedForward(config);
    this.pre_mlp_layer_norm = new Pix2StructNorm(config);
    this.pre_attention_layer_norm = new Pix2StructNorm(config);
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, mask?: Tensor): Tensor {
    const attended = add(x, this.attention.forward(this.pre_attention_layer_norm.forward(x), mask));
    return add(attended, this.mlp.forward(this.pre_mlp_layer_norm.forward(attended)));
  }
}
