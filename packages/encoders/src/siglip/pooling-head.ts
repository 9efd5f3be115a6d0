import {
  add,
  attention,
  broadcastTo,
  initializers,
  LayerNorm,
  Linear,
  linear,
  Module,
  mergeHeads,
  Parameter,
  select,
  sliceAxis,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { VitFeedForward } from '../vit/block.js';
import { blockConfig } from './block-config.js';
import type { SiglipVisionConfig } from './config.js';

/** Multi-head attention whose projections of queries, keys and values are packed one below the other. */
class PackedAttention extends Module {
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter;
  readonly out_proj: Linear;

  constructor(
    private readonly width: number,
    private readonly heads: number,
  ) {
    super();
    this.in_proj_weight = new Parameter([3 * width, width], { initializer: initializers.xavierUniform() });
    this.in_proj_bias = new Parameter([3 * width]);
    this.out_proj = new Linear(width, width, { initializer: initializers.lecunNormal });
  }

  /** queries [batch, m, width], memory [batch, tokens, width] → [batch, m, width] */
  forward(queries: Tensor, memory: Tensor): Tensor {
    const [q, k, v] = [queries, memory, memory].map((x, index) => {
      const rows = (parameter: Parameter) => sliceAxis(parameter, 0, index * this.width, (index + 1) * this.width);
      return splitHeads(linear(x, rows(this.in_proj_weight), rows(this.in_proj_bias)), this.heads);
    }) as [Tensor, Tensor, Tensor]; // each [batch, heads, m or tokens, head width]
    return this.out_proj.forward(mergeHeads(attention(q, k, v)));
  }
}

/**
 * One vector for an image: a learned probe attends to the tokens, and a feed-forward part refines what it finds. The
 * probe itself is not added to it. Source: Hugging Face's `SiglipMultiheadAttentionPoolingHead`.
 */
export class SiglipPoolingHead extends Module {
  readonly probe: Parameter;
  readonly attention: PackedAttention;
  readonly layernorm: LayerNorm;
  readonly mlp: VitFeedForward;

  constructor(config: SiglipVisionConfig) {
    super();
    const { hiddenSize, numAttentionHeads, layerNormEps } = config;
    this.probe = new Parameter([1, 1, hiddenSize], { initializer: initializers.xavierUniform() });
    this.attention = new PackedAttention(hiddenSize, numAttentionHeads);
    this.layernorm = new LayerNorm(hiddenSize, layerNormEps);
    this.mlp = new VitFeedForward(blockConfig(config));
  }

  /** tokens [batch, patches, width], after the final norm → [batch, width] */
  forward(tokens: Tensor): Tensor {
    const [batch, , width] = tokens.shape as [number, number, number];
    const found = this.attention.forward(broadcastTo(this.probe, [batch, 1, width]), tokens); // [batch, 1, width]
    return select(add(found, this.mlp.forward(this.layernorm.forward(found))), 1, 0);
  }
}
