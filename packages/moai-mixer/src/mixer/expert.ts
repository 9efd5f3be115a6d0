import {
  add,
  attention,
  cast,
  gelu,
  greater,
  Linear,
  Module,
  max,
  mergeHeads,
  reshape,
  splitHeads,
  type Tensor,
  where,
} from '@ocelli/core-tensor';
import { startOf } from '../initializer.js';
import type { MoaiMixerConfig } from './config.js';

/** Down to the rank and up again, with nothing between. Keys `0` and `1`, as in the published checkpoint. */
class LowRank extends Module {
  readonly 0: Linear;
  readonly 1: Linear;

  constructor({ hiddenSize, rank, initializerRange }: MoaiMixerConfig) {
    super();
    const options = { bias: false, ...startOf(initializerRange) };
    this[0] = new Linear(hiddenSize, rank, options);
    this[1] = new Linear(rank, hiddenSize, options);
  }

  /** x [..., width] → GELU of its projection, [..., width] */
  forward(x: Tensor): Tensor {
    return gelu(this[1].forward(this[0].forward(x)));
  }
}

/**
 * One expert of a mixer: y = q + g(O·attend(g(Q·q), g(K·c), g(V·c))) with projections Q, K, V, O of low rank and
 * g = GELU (`moai/arch/expert_module.py`, `MultiHeadLoRAAttention`). The residual is inside; there is no norm, no causal
 * mask and no position.
 */
export class MoaiExpert extends Module {
  readonly linear_q: LowRank;
  readonly linear_k: LowRank;
  readonly linear_v: LowRank;
  readonly linear_o: LowRank;
  private readonly heads: number;

  constructor(config: MoaiMixerConfig) {
    super();
    this.linear_q = new LowRank(config);
    this.linear_k = new LowRank(config);
    this.linear_v = new LowRank(config);
    this.linear_o = new LowRank(config);
    this.heads = config.numHeads;
  }

  /**
   * query [batch, tokens, width], context [batch, keys, width] → [batch, tokens, width]
   *
   * @param visible which of the context is there, bool [batch, keys]; a sample without any leaves attention at zero.
   *   Default: all.
   */
  forward(query: Tensor, context: Tensor, visible?: Tensor): Tensor {
    const heads = (x: Tensor) => splitHeads(x, this.heads); // [batch, heads, tokens, width / heads]
    const [batch, keys] = context.shape as [number, number];
    const mask = visible && reshape(visible, [batch, 1, 1, keys]);
    const attended = attention(
      heads(this.linear_q.forward(query)),
      heads(this.linear_k.forward(context)),
      heads(this.linear_v.forward(context)),
      { mask },
    );
    const mixed = mask ? where(anyOf(mask), attended, 0) : attended;
    return add(query, this.linear_o.forward(mergeHeads(mixed)));
  }
}

/** Whether a sample has any key: bool [batch, 1, 1, 1]. */
function anyOf(mask: Tensor): Tensor {
  return greater(max(cast(mask, 'float32'), { axes: 3, keepDims: true }), 0);
}
