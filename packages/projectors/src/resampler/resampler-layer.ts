import {
  add,
  attention,
  concat,
  dropout,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mergeHeads,
  mul,
  type StreamKey,
  silu,
  splitHeads,
  type Tensor,
} from '@ocelli/core-tensor';
import type { ResamplerConfig } from './config.js';

/**
 * Attention of queries to themselves and to image features at once, then a gated feed-forward part. The residual of the
 * attention starts from the *normalised* queries: what came in is discarded, as in the official code.
 */
export class ResamplerLayer extends Module {
  readonly crossattention: {
    readonly attention: { readonly query: Linear; readonly key: Linear; readonly value: Linear };
    readonly output: {
      readonly out_proj: Linear;
      readonly norm2: LayerNorm;
      readonly mlp: { readonly w1: Linear; readonly w2: Linear; readonly w3: Linear; readonly ffn_ln: LayerNorm };
    };
    readonly norm1: LayerNorm;
    readonly normk: LayerNorm;
  };
  private readonly heads: number;
  private readonly dropoutRate: number;

  constructor(config: ResamplerConfig) {
    super();
    const { hiddenSize, intermediateSize, layerNormEps, initializerRange } = config;
    const initializer = initializers.normal(0, initializerRange);
    const linear = (inputs: number, outputs: number) => new Linear(inputs, outputs, { initializer });
    const [query, key, value, out_proj] = Array.from({ length: 4 }, () => linear(hiddenSize, hiddenSize)) as [
      Linear,
      Linear,
      Linear,
      Linear,
    ];
    this.crossattention = {
      attention: { query, key, value },
      output: {
        out_proj,
        norm2: new LayerNorm(hiddenSize),
        mlp: {
          w1: linear(hiddenSize, intermediateSize),
          w2: linear(intermediateSize, hiddenSize),
          w3: linear(hiddenSize, intermediateSize),
          ffn_ln: new LayerNorm(intermediateSize, layerNormEps),
        },
      },
      norm1: new LayerNorm(hiddenSize),
      normk: new LayerNorm(hiddenSize),
    };
    this.heads = config.numAttentionHeads;
    this.dropoutRate = config.attentionDropout;
  }

  /** queries [batch, m, width], memory [batch, tokens, width] → [batch, m, width] */
  forward(queries: Tensor, memory: Tensor, dropoutKey: StreamKey | undefined): Tensor {
    const { attention: projections, output, norm1, normk } = this.crossattention;
    const normalized = norm1.forward(queries);
    const seen = concat([normalized, normk.forward(memory)], 1); // [batch, m + tokens, width]
    const heads = (projection: Linear, x: Tensor) => splitHeads(projection.forward(x), this.heads);
    const mixed = attention(
      heads(projections.query, normalized),
      heads(projections.key, seen),
      heads(projections.value, seen),
      { onWeights: (weights) => dropout(weights, { rate: this.dropoutRate, key: dropoutKey }) },
    );
    const attended = add(normalized, output.out_proj.forward(mergeHeads(mixed)));
    return add(attended, this.feedForward(output.norm2.forward(attended)));
  }

  private feedForward(x: Tensor): Tensor {
    const { w1, w2, w3, ffn_ln } = this.crossattention.output.mlp;
    return w2.forward(ffn_ln.forward(mul(silu(w1.forward(x)), w3.forward(x))));
  }
}
