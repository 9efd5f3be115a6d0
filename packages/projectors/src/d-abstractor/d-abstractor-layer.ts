import {
  add,
  attention,
  dropout,
  foldStream,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  relu,
  type StreamKey,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { DeformableAttention } from '../deformable-attention/deformable-attention.js';
import type { DAbstractorConfig } from './config.js';

/** What a layer looks at, the same for all layers. */
export interface DAbstractorMemory {
  /** Added to the queries, [batch, queries, width]. */
  readonly position: Tensor;
  /** (x, y) of each query, [batch, queries, 1, 2] */
  readonly references: Tensor;
  /** [batch, rows · columns, width] */
  readonly features: Tensor;
  readonly grid: readonly [rows: number, columns: number];
}

/**
 * Self-attention, deformable attention to the features, feed-forward part, a norm behind each: the decoder layer of
 * Deformable DETR, named as in Hugging Face's `DeformableDetrDecoderLayer`.
 */
export class DAbstractorLayer extends Module {
  readonly self_attn: {
    readonly k_proj: Linear;
    readonly v_proj: Linear;
    readonly q_proj: Linear;
    readonly out_proj: Linear;
  };
  readonly self_attn_layer_norm: LayerNorm;
  readonly encoder_attn: DeformableAttention;
  readonly encoder_attn_layer_norm: LayerNorm;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly final_layer_norm: LayerNorm;
  private readonly heads: number;
  private readonly dropoutRate: number;

  constructor(config: DAbstractorConfig) {
    super();
    const { hiddenSize, intermediateSize, numAttentionHeads, numPoints, layerNormEps, initializerRange } = config;
    const initializer = initializers.normal(0, initializerRange);
    const square = () => new Linear(hiddenSize, hiddenSize, { initializer });
    this.self_attn = { k_proj: square(), v_proj: square(), q_proj: square(), out_proj: square() };
    this.self_attn_layer_norm = new LayerNorm(hiddenSize, layerNormEps);
    this.encoder_attn = new DeformableAttention({
      width: hiddenSize,
      heads: numAttentionHeads,
      points: numPoints,
      levels: 1,
      initializer: config.offsetStart === 'normal' ? initializer : undefined,
    });
    this.encoder_attn_layer_norm = new LayerNorm(hiddenSize, layerNormEps);
    this.fc1 = new Linear(hiddenSize, intermediateSize, { initializer });
    this.fc2 = new Linear(intermediateSize, hiddenSize, { initializer });
    this.final_layer_norm = new LayerNorm(hiddenSize, layerNormEps);
    this.heads = numAttentionHeads;
    this.dropoutRate = config.dropout;
  }

  /** state [batch, queries, width] → same */
  forward(state: Tensor, memory: DAbstractorMemory, dropoutKey: StreamKey | undefined): Tensor {
    const { position, references, features, grid } = memory;
    const residual = (x: Tensor, branch: Tensor, use: number) =>
      add(x, dropout(branch, { rate: this.dropoutRate, key: dropoutKey && foldStream(dropoutKey, use) }));
    const selfAttended = this.selfAttention(add(state, position), state);
    const first = this.self_attn_layer_norm.forward(residual(state, selfAttended, 0));
    const looked = this.encoder_attn.forward(add(first, position), references, features, [grid]).output;
    const second = this.encoder_attn_layer_norm.forward(residual(first, looked, 1));
    const transformed = this.fc2.forward(relu(this.fc1.forward(second)));
    return this.final_layer_norm.forward(residual(second, transformed, 2));
  }

  private selfAttention(placed: Tensor, state: Tensor): Tensor {
    const { q_proj, k_proj, v_proj, out_proj } = this.self_attn;
    const heads = (projection: Linear, x: Tensor) => splitHeads(projection.forward(x), this.heads);
    const mixed = attention(heads(q_proj, placed), heads(k_proj, placed), heads(v_proj, state));
    return out_proj.forward(mergeHeads(mixed));
  }
}
