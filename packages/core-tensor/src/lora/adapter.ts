import { trainingKey } from '../autodiff/training-key.js';
import { Embedding, type EmbeddingAdapter, type Linear, type LinearAdapter } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { mul } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { embedding } from '../ops/embedding.js';
import { linear } from '../ops/linear.js';
import { matmul } from '../ops/matmul.js';
import { dropout, foldStream } from '../ops/random.js';
import { transpose } from '../ops/rearrange.js';
import { type Initializer, kaimingUniform, normal, zeros } from '../random/initializers.js';
import { foldIn, randomKey } from '../random/key.js';
import type { Tensor } from '../tensor.js';
import type { LoraConfig } from './config.js';

/** What an adapter is built from, beside the layer. */
export interface LoraAdapterOptions {
  /** Of the layer: its dropout is independent of that of other paths. */
  readonly path: string;
  readonly rank: number;
  /** Factor of the product. */
  readonly scaling: number;
  /** Share of the input that is dropped in training. */
  readonly rate: number;
  readonly start: LoraConfig['initLoraWeights'];
}

/** A low-rank product beside a layer's weight. */
export interface LoraAdapter extends Module {
  readonly rank: number;
  readonly scaling: number;
  /** scaling · the product, of the shape of the layer's weight. */
  delta(): Tensor;
}

/** As PyTorch starts linear layers: uniform ±1/√inputs. */
const likeLinear = kaimingUniform({ a: Math.sqrt(5) });

/** s · B·A·x beside W·x, with A [rank, inputs] and B [outputs, rank] (Hu et al. 2021). */
export class LoraLinear extends Module implements LoraAdapter, LinearAdapter {
  readonly lora_A: { readonly weight: Parameter };
  readonly lora_B: { readonly weight: Parameter };
  readonly rank: number;
  readonly scaling: number;
  private readonly rate: number;
  private readonly use: number;

  constructor(layer: Linear, { path, rank, scaling, rate, start }: LoraAdapterOptions) {
    super();
    const [outputs, inputs] = layer.weight.shape as [number, number];
    const first = start === 'gaussian' ? normal(0, 1 / rank) : likeLinear;
    this.lora_A = { weight: new Parameter([rank, inputs], { initializer: first }) };
    this.lora_B = { weight: new Parameter([outputs, rank], { initializer: start === false ? likeLinear : zeros }) };
    this.rank = rank;
    this.scaling = scaling;
    this.rate = rate;
    this.use = foldIn(randomKey('lora dropout'), path).low;
  }

  /** x [..., inputs] → [..., outputs]; drops elements of x where a training key is in force. */
  forward(x: Tensor): Tensor {
    const { lora_A, lora_B } = this;
    const key = trainingKey();
    const input = dropout(cast(x, lora_A.weight.dtype), { rate: this.rate, key: key && foldStream(key, this.use) });
    const low = mul(linear(input, lora_A.weight), this.scaling); // [..., rank]
    return cast(linear(low, lora_B.weight), x.dtype);
  }

  /** [outputs, inputs] */
  delta(): Tensor {
    return matmul(this.lora_B.weight, mul(this.lora_A.weight, this.scaling));
  }
}

/** s · (A[:, id])·Bᵀ beside the row of an id, with A [rank, rows] and B [width, rank]. It drops nothing. */
export class LoraEmbedding extends Module implements LoraAdapter, EmbeddingAdapter {
  readonly lora_embedding_A: Parameter;
  readonly lora_embedding_B: Parameter;
  readonly rank: number;
  readonly scaling: number;
  private readonly paddingIndex: number | undefined;

  constructor(layer: Embedding, { rank, scaling, start }: LoraAdapterOptions) {
    super();
    const [rows, width] = layer.weight.shape as [number, number];
    const first: Initializer = start === false ? normal() : zeros;
    this.lora_embedding_A = new Parameter([rank, rows], { initializer: first });
    this.lora_embedding_B = new Parameter([width, rank], { initializer: normal() });
    this.rank = rank;
    this.scaling = scaling;
    this.paddingIndex = layer.paddingIndex;
  }

  /** ids [...] → [..., width] */
  forward(ids: Tensor): Tensor {
    const rows = embedding(ids, transpose(this.lora_embedding_A), { paddingIndex: this.paddingIndex }); // [..., rank]
    return linear(mul(rows, this.scaling), this.lora_embedding_B);
  }

  /** [rows, width] */
  delta(): Tensor {
    const { lora_embedding_A, lora_embedding_B, scaling } = this;
    return matmul(lora_embedding_A, mul(lora_embedding_B, scaling), { transposeA: true, transposeB: true });
  }
}

/** The adapter that a layer gets. */
export function createLoraAdapter(layer: Linear | Embedding, options: LoraAdapterOptions): LoraLinear | LoraEmbedding {
  return layer instanceof Embedding ? new LoraEmbedding(layer, options) : new LoraLinear(layer, options);
}
