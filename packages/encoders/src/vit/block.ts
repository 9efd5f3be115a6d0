import {
  type ActivationName,
  activations,
  add,
  attention,
  LayerNorm,
  Linear,
  type LinearOptions,
  Module,
  mergeHeads,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';

/** How weight and bias of a layer start. */
export type LinearStart = Pick<LinearOptions, 'initializer' | 'biasInitializer'>;

/** Structure of a {@link VitBlock}. */
export interface VitBlockConfig {
  readonly width: number;
  /** Width inside the feed-forward part. */
  readonly hiddenWidth: number;
  readonly heads: number;
  readonly activation: ActivationName;
  readonly layerNormEps: number;
  /** First values. Default: as PyTorch's layers. */
  readonly start?: {
    /** Of the projections to queries, keys and values. */
    readonly attentionInput: LinearStart;
    readonly attentionOutput: LinearStart;
    readonly feedForwardInput: LinearStart;
    readonly feedForwardOutput: LinearStart;
  };
}

/** Multi-head self-attention with biases on all projections. */
export class VitAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly out_proj: Linear;
  private readonly heads: number;

  constructor({ width, heads, start }: VitBlockConfig) {
    super();
    this.q_proj = new Linear(width, width, start?.attentionInput);
    this.k_proj = new Linear(width, width, start?.attentionInput);
    this.v_proj = new Linear(width, width, start?.attentionInput);
    this.out_proj = new Linear(width, width, start?.attentionOutput);
    this.heads = heads;
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
export class VitFeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  private readonly activation: ActivationName;

  constructor({ width, hiddenWidth, activation, start }: VitBlockConfig) {
    super();
    this.fc1 = new Linear(width, hiddenWidth, start?.feedForwardInput);
    this.fc2 = new Linear(hiddenWidth, width, start?.feedForwardOutput);
    this.activation = activation;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(activations[this.activation](this.fc1.forward(x)));
  }
}

/**
 * Pre-norm transformer block of CLIP and SigLIP: x + attention(norm(x)), then the same with the feed-forward part
 * (Dosovitskiy et al. 2021). Parameters are named as in Hugging Face's `CLIPEncoderLayer` and `SiglipEncoderLayer`.
 */
export class VitBlock extends Module {
  readonly self_attn: VitAttention;
  readonly layer_norm1: LayerNorm;
  readonly mlp: VitFeedForward;
  readonly layer_norm2: LayerNorm;

  constructor(config: VitBlockConfig) {
    super();
    this.self_attn = new VitAttention(config);
    this.layer_norm1 = new LayerNorm(config.width, config.layerNormEps);
    this.mlp = new VitFeedForward(config);
    this.layer_norm2 = new LayerNorm(config.width, config.layerNormEps);
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.self_attn.forward(this.layer_norm1.forward(x)));
    return add(attended, this.mlp.forward(this.layer_norm2.forward(attended)));
  }
}

/** Blocks one after the other. Keys `layers.0`, `layers.1`, … */
export class VitEncoder extends Module {
  readonly layers: readonly VitBlock[];

  constructor(blocks: number, config: VitBlockConfig) {
    super();
    this.layers = Array.from({ length: blocks }, () => new VitBlock(config));
  }

  /**
   * x [batch, tokens, width] → x and the output of each of the first `blocks` blocks, blocks + 1 tensors of its shape.
   * Default: all blocks.
   */
  forward(x: Tensor, blocks: number = this.layers.length): Tensor[] {
    const states = [x];
    for (const layer of this.layers.slice(0, blocks)) states.push(layer.forward(states.at(-1)!));
    return states;
  }
}
