import {
  add,
  attention,
  concat,
  gelu,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  sliceAxis,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import { startOf } from '../initializer.js';
import type { MoaiCompressorConfig } from './config.js';

/** Attention of latents to the media and to themselves: keys and values are media first, then normalised latents. */
export class PerceiverAttention extends Module {
  readonly norm_media: LayerNorm;
  readonly norm_latents: LayerNorm;
  readonly to_q: Linear;
  readonly to_kv: Linear;
  readonly to_out: Linear;
  private readonly heads: number;

  constructor({ hiddenSize, numHeads, headDim, initializerRange }: MoaiCompressorConfig) {
    super();
    const inner = numHeads * headDim;
    const options = { bias: false, ...startOf(initializerRange) };
    this.norm_media = new LayerNorm(hiddenSize);
    this.norm_latents = new LayerNorm(hiddenSize);
    this.to_q = new Linear(hiddenSize, inner, options);
    this.to_kv = new Linear(hiddenSize, 2 * inner, options);
    this.to_out = new Linear(inner, hiddenSize, options);
    this.heads = numHeads;
  }

  /** media [batch, tokens, width], latents [batch, m, width], mask [batch, 1, 1, tokens + m] → [batch, m, width] */
  forward(media: Tensor, latents: Tensor, mask: Tensor | undefined): Tensor {
    const normalized = this.norm_latents.forward(latents);
    const seen = concat([this.norm_media.forward(media), normalized], 1); // [batch, tokens + m, width]
    const keysAndValues = this.to_kv.forward(seen);
    const inner = keysAndValues.shape[2]! / 2;
    const heads = (x: Tensor) => splitHeads(x, this.heads);
    const mixed = attention(
      heads(this.to_q.forward(normalized)),
      heads(sliceAxis(keysAndValues, 2, 0, inner)),
      heads(sliceAxis(keysAndValues, 2, inner)),
      { mask },
    );
    return this.to_out.forward(mergeHeads(mixed));
  }
}

/** Norm, Linear, GELU, Linear, named by their places in the published sequence. */
type PerceiverFeedForward = { readonly 0: LayerNorm; readonly 1: Linear; readonly 3: Linear };

/** Attention and feed-forward part, each added to the latents. Keys `0` and `1`, as in the published lists. */
export class PerceiverLayer extends Module {
  readonly 0: PerceiverAttention;
  readonly 1: PerceiverFeedForward;

  constructor(config: MoaiCompressorConfig) {
    super();
    const { hiddenSize, feedForwardMultiplier, initializerRange } = config;
    const hidden = Math.floor(hiddenSize * feedForwardMultiplier);
    const options = { bias: false, ...startOf(initializerRange) };
    this[0] = new PerceiverAttention(config);
    this[1] = {
      0: new LayerNorm(hiddenSize),
      1: new Linear(hiddenSize, hidden, options),
      3: new Linear(hidden, hiddenSize, options),
    };
  }

  /** media [batch, tokens, width], latents [batch, m, width] → [batch, m, width] */
  forward(media: Tensor, latents: Tensor, mask: Tensor | undefined): Tensor {
    const attended = add(latents, this[0].forward(media, latents, mask));
    const { 0: norm, 1: up, 3: down } = this[1];
    return add(attended, down.forward(gelu(up.forward(norm.forward(attended)))));
  }
}
