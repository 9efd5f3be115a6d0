import {
  type ActivationName,
  activations,
  add,
  attention,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import type { ClipVisionConfig } from './config.js';

/** A layer whose weight starts as N(0, deviation²) and whose bias starts at 0. */
function linear(inputs: number, outputs: number, deviation: number): Linear {
  return new Linear(inputs, outputs, { initializer: initializers.normal(0, deviation) });
}

/** Multi-head self-attention with biases on all projections. */
export class ClipAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly out_proj: Linear;
  private readonly heads: number;

  constructor({ hiddenSize, numHiddenLayers, numAttentionHeads, initializerFactor }: ClipVisionConfig) {
    super();
    const output = hiddenSize ** -0.5 * initializerFactor;
    const input = output * (2 * numHiddenLayers) ** -0.5;
    this.q_proj = linear(hiddenSize, hiddenSize, input);
    this.k_proj = linear(hiddenSize, hiddenSize, input);
    this.v_proj = linear(hiddenSize, hiddenSize, input);
    this.out_proj = linear(hiddenSize, hiddenSize, output);
    this.heads = numAttentionHeads;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((projection) =>
      splitHeads(projection.forward(x), this.heads),
    ) as [Tensor, Tensor, Tensor]; // each [batch, heads, tokens, head width]
    return this.out_proj.forward(mergeHeads(attention(q, k, v)));
  }
}

/** fc2(act(fc1(x))). */
export class ClipFeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  private readonly activation: ActivationName;

  constructor({ hiddenSize, intermediateSize, numHiddenLayers, hiddenAct, initializerFactor }: ClipVisionConfig) {
    super();
    this.fc1 = linear(hiddenSize, intermediateSize, (2 * hiddenSize) ** -0.5 * initializerFactor);
    this.fc2 = linear(intermediateSize, hiddenSize, (2 * hiddenSize * numHiddenLayers) ** -0.5 * initializerFactor);
    this.activation = hiddenAct;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(activations[this.activation](this.fc1.forward(x)));
  }
}

/** Pre-norm transformer block: x + attention(norm(x)), then the same with the feed-forward part. */
export class ClipEncoderLayer extends Module {
  readonly self_attn: ClipAttention;
  readonly layer_norm1: LayerNorm;
  readonly mlp: ClipFeedForward;
  readonly layer_norm2: LayerNorm;

  constructor(config: ClipVisionConfig) {
    super();
    this.self_attn = new ClipAttention(config);
    this.layer_norm1 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.mlp = new ClipFeedForward(config);
    this.layer_norm2 = new LayerNorm(config.hiddenSize, config.layerNormEps);
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.self_attn.forward(this.layer_norm1.forward(x)));
    return add(attended, this.mlp.forward(this.layer_norm2.forward(attended)));
  }
}
