import {
  applyRotary,
  initializers,
  Linear,
  Module,
  mergeHeads,
  type RotaryTables,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import type { LlamaConfig } from './config.js';

/**
 * What attention mixes: decided by the caller, who masks, and may keep or supply keys and values.
 * queries [batch, heads, tokens, headDim], keys and values [batch, kvHeads, tokens, headDim], queries and keys already
 * rotated → [batch, heads, tokens, headDim]
 */
export type Attend = (queries: Tensor, keys: Tensor, values: Tensor) => Tensor;

/** Grouped-query self-attention with rotary positions: query head i uses key/value head ⌊i / (heads / kvHeads)⌋. */
export class LlamaAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly o_proj: Linear;
  private readonly heads: number;
  private readonly keyValueHeads: number;

  constructor(config: LlamaConfig) {
    super();
    const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads, attentionBias, attentionOutputBias } = config;
    const initializer = initializers.normal(0, config.initializerRange);
    const input = { bias: attentionBias, initializer };
    this.q_proj = new Linear(hiddenSize, numAttentionHeads * headDim, input);
    this.k_proj = new Linear(hiddenSize, numKeyValueHeads * headDim, input);
    this.v_proj = new Linear(hiddenSize, numKeyValueHeads * headDim, input);
    this.o_proj = new Linear(numAttentionHeads * headDim, hiddenSize, { bias: attentionOutputBias, initializer });
    this.heads = numAttentionHeads;
    this.keyValueHeads = numKeyValueHeads;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, rotary: RotaryTables, attend: Attend): Tensor {
    const queries = applyRotary(splitHeads(this.q_proj.forward(x), this.heads), rotary);
    const keys = applyRotary(splitHeads(this.k_proj.forward(x), this.keyValueHeads), rotary);
    const values = splitHeads(this.v_proj.forward(x), this.keyValueHeads);
    return this.o_proj.forward(mergeHeads(attend(queries, keys, values)));
  }
}
