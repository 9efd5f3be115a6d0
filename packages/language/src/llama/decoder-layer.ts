import {
  type ActivationName,
  activations,
  add,
  initializers,
  Linear,
  Module,
  mul,
  RMSNorm,
  type RotaryTables,
  type Tensor,
} from '@ocelli/core-tensor';
import { type Attend, LlamaAttention } from './attention.js';
import type { LlamaConfig } from './config.js';

/** Where others may change what flows through the decoder. Layers count from 0; hidden is [batch, tokens, width]. */
export interface DecoderHooks {
  /** Replaces the residual stream in front of a layer. */
  readonly beforeLayer?: (hidden: Tensor, layer: number) => Tensor;
  /** Replaces the normalised input of a layer's attention; the residual stream stays as it is. */
  readonly beforeAttention?: (normalized: Tensor, layer: number) => Tensor;
}

/** down(act(gate(x)) ⊙ up(x)) (Shazeer 2020, "GLU Variants Improve Transformer"). */
export class LlamaFeedForward extends Module {
  readonly gate_proj: Linear;
  readonly up_proj: Linear;
  readonly down_proj: Linear;
  private readonly activation: ActivationName;

  constructor({ hiddenSize, intermediateSize, hiddenAct, mlpBias, initializerRange }: LlamaConfig) {
    super();
    const options = { bias: mlpBias, initializer: initializers.normal(0, initializerRange) };
    this.gate_proj = new Linear(hiddenSize, intermediateSize, options);
    this.up_proj = new Linear(hiddenSize, intermediateSize, options);
    this.down_proj = new Linear(intermediateSize, hiddenSize, options);
    this.activation = hiddenAct;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor): Tensor {
    const gate = activations[this.activation](this.gate_proj.forward(x));
    return this.down_proj.forward(mul(gate, this.up_proj.forward(x)));
  }
}

/** Pre-norm transformer block: x + attention(norm(x)), then the same with the feed-forward part. */
export class LlamaDecoderLayer extends Module {
  readonly self_attn: LlamaAttention;
  readonly mlp: LlamaFeedForward;
  readonly input_layernorm: RMSNorm;
  readonly post_attention_layernorm: RMSNorm;
  private readonly index: number;

  constructor(config: LlamaConfig, index: number) {
    super();
    this.self_attn = new LlamaAttention(config);
    this.mlp = new LlamaFeedForward(config);
    this.input_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
    this.index = index;
  }

  /** x [batch, tokens, width] → same */
  forward(x: Tensor, rotary: RotaryTables, attend: Attend, hooks: DecoderHooks = {}): Tensor {
    const input = hooks.beforeLayer?.(x, this.index) ?? x;
    const normalized = this.input_layernorm.forward(input);
    const changed = hooks.beforeAttention?.(normalized, this.index) ?? normalized;
    const attended = add(input, this.self_attn.forward(changed, rotary, attend));
    return add(attended, this.mlp.forward(this.post_attention_layernorm.forward(attended)));
  }
}
