import {
  add,
  attention,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  mul,
  Parameter,
  reshape,
  silu,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { gridToTokens, joinWindows, partitionWindows } from '../vit/windows.js';
import type { Eva02VisionConfig } from './config.js';
import { type RotaryGrid, rotatePairs } from './rotary.js';

/** Multi-head self-attention with rotated queries and keys, and biases on queries and values only. */
export class Eva02Attention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly q_bias: Parameter | undefined;
  readonly v_bias: Parameter | undefined;
  readonly inner_attn_ln: LayerNorm | undefined;
  readonly proj: Linear;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads, qkvBias, attentionNorm }: Eva02VisionConfig) {
    super();
    this.q_proj = new Linear(hiddenSize, hiddenSize, { bias: false });
    this.k_proj = new Linear(hiddenSize, hiddenSize, { bias: false });
    this.v_proj = new Linear(hiddenSize, hiddenSize, { bias: false });
    this.q_bias = qkvBias ? new Parameter([hiddenSize]) : undefined;
    this.v_bias = qkvBias ? new Parameter([hiddenSize]) : undefined;
    this.inner_attn_ln = attentionNorm ? new LayerNorm(hiddenSize) : undefined;
    this.proj = new Linear(hiddenSize, hiddenSize);
    this.heads = numAttentionHeads;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, rotary: RotaryGrid): Tensor {
    const project = (layer: Linear, bias?: Parameter) => {
      const y = layer.forward(x);
      return splitHeads(bias ? add(y, bias) : y, this.heads); // [batch, heads, tokens, head width]
    };
    const queries = rotatePairs(project(this.q_proj, this.q_bias), rotary);
    const keys = rotatePairs(project(this.k_proj), rotary);
    const mixed = mergeHeads(attention(queries, keys, project(this.v_proj, this.v_bias)));
    return this.proj.forward(this.inner_attn_ln ? this.inner_attn_ln.forward(mixed) : mixed);
  }
}

/** w3(norm(silu(w1(x)) · w2(x))): the gated unit of Shazeer 2020 with EVA-02's norm inside. */
export class Eva02FeedForward extends Module {
  readonly w1: Linear;
  readonly w2: Linear;
  readonly ffn_ln: LayerNorm;
  readonly w3: Linear;

  constructor({ hiddenSize, intermediateSize, layerNormEps }: Eva02VisionConfig) {
    super();
    this.w1 = new Linear(hiddenSize, intermediateSize);
    this.w2 = new Linear(hiddenSize, intermediateSize);
    this.ffn_ln = new LayerNorm(intermediateSize, layerNormEps);
    this.w3 = new Linear(intermediateSize, hiddenSize);
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return this.w3.forward(this.ffn_ln.forward(mul(silu(this.w1.forward(x)), this.w2.forward(x))));
  }
}

/** Pre-norm transformer block whose attention sees a window of the grid, or all of it. */
export class Eva02Block extends Module {
  readonly norm1: LayerNorm;
  readonly attn: Eva02Attention;
  readonly norm2: LayerNorm;
  readonly mlp: Eva02FeedForward;

  /** @param windowSize side of the windows in tokens; without one the block attends globally */
  constructor(
    config: Eva02VisionConfig,
    readonly windowSize: number | undefined,
  ) {
    super();
    this.norm1 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.attn = new Eva02Attention(config);
    this.norm2 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.mlp = new Eva02FeedForward(config);
  }

  /**
   * x [batch, rows, columns, width] → same
   *
   * @param rotary of a window, or of the grid where the block attends globally
   */
  forward(x: Tensor, rotary: RotaryGrid): Tensor {
    const attended = add(x, this.attend(this.norm1.forward(x), rotary));
    return add(attended, this.mlp.forward(this.norm2.forward(attended)));
  }

  private attend(x: Tensor, rotary: RotaryGrid): Tensor {
    if (this.windowSize === undefined) return reshape(this.attn.forward(gridToTokens(x), rotary), x.shape);
    const windows = this.attn.forward(partitionWindows(x, this.windowSize), rotary);
    return joinWindows(windows, this.windowSize, x.shape.slice(1, 3) as [number, number]);
  }
}
