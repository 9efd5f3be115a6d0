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

/** Where in the decoder a hook is called. */
export interface DecoderPlace {
  /** Layers count from 0. */
  readonly layer: number;
  /** Which tokens are visual: bool [batch, tokens]; `undefined` where the caller did not say, and in decoding steps. */
  readonly visualMask: Tensor | undefined;
  /** [batch, tokens], 0 (or false) where padded; `undefined` where nothing is, and in decoding steps. */
  readonly attentionMask?: Tensor | undefined;
}

/**
 * Where others plug into the decoder: managers add features of a vision tower to the residual stream, mixers replace
 * what attention reads. Each hook is called in front of every layer; hidden is [batch, tokens, width], and so is what
 * it returns.
 */
export interface DecoderHooks {
  /** Replaces the residual stream in front of a layer. */
  readonly beforeLayer?: (hidden: Tensor, place: DecoderPlace) => Tensor;
  /** Replaces the normalised input of a layer's attention; the residual stream stays as it is. */
  readonly beforeAttention?: (normalized: Tensor, place: DecoderPlace) => Tensor;
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

  constructor(config: LlamaConfig) {
    super();
    this.self_attn = new LlamaAttention(config);
    this.mlp = new LlamaFeedForward(config);
    this.input_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, config.rmsNormEps);
  }

  /** x [batch, tokens, width] → same */
  forward(
    x: Tensor,
    rotary: RotaryTables,
    attend: Attend,
    { hooks, place }: { hooks?: DecoderHooks | undefined; place: DecoderPlace },
  ): Tensor {
    const input = hooks?.beforeLayer?.(x, place) ?? x;
    const normalized = this.input_layernorm.forward(input);
    const changed = hooks?.beforeAttention?.(normalized, place) ?? normalized;
    const attended = add(input, this.self_attn.forward(changed, rotary, attend));
    return add(attended, this.mlp.forward(this.post_attention_layernorm.forward(attended)));
  }
}
