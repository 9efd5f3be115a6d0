import {
  dropout,
  gelu,
  initializers,
  LayerNorm,
  Linear,
  l2Normalize,
  linear,
  Module,
  Parameter,
  type StreamKey,
  select,
  type Tensor,
} from '@ocelli/core-tensor';

function newLinear(inputs: number, outputs: number, options: { readonly bias?: boolean } = {}): Linear {
  return new Linear(inputs, outputs, { initializer: initializers.normal(0, 0.02), ...options });
}

/**
 * Predicts masked tokens from the text states of the last cross-modal layer. Its last layer is its own, not the word
 * table. Keys `transform.{dense,LayerNorm}`, `decoder.weight`, `bias`.
 */
export class MaskedLanguageModelHead extends Module {
  readonly transform: { readonly dense: Linear; readonly LayerNorm: LayerNorm };
  readonly decoder: Linear;
  readonly bias: Parameter;

  constructor(
    hiddenSize: number,
    vocabSize: number,
    { layerNormEps = 1e-12 }: { readonly layerNormEps?: number } = {},
  ) {
    super();
    this.transform = { dense: newLinear(hiddenSize, hiddenSize), LayerNorm: new LayerNorm(hiddenSize, layerNormEps) };
    this.decoder = newLinear(hiddenSize, vocabSize, { bias: false });
    this.bias = new Parameter([vocabSize]);
  }

  /** text states [batch, tokens, width] → logits [batch, tokens, vocabulary] */
  forward(x: Tensor): Tensor {
    const { dense, LayerNorm: norm } = this.transform;
    return linear(norm.forward(gelu(dense.forward(x))), this.decoder.floatWeight, this.bias);
  }
}

/** Whether text and image belong together; class 1 says yes. Key `fc`. */
export class ImageTextMatchingHead extends Module {
  readonly fc: Linear;

  constructor(hiddenSize: number) {
    super();
    this.fc = newLinear(2 * hiddenSize, 2);
  }

  /** pooled [batch, 2 · width] → logits [batch, 2] */
  forward(pooled: Tensor): Tensor {
    return this.fc.forward(pooled);
  }
}

/**
 * How well text and image belong together, as one number: ranks texts and images without contrastive features, as
 * METER's retrieval does. It starts as class 1 of a trained {@link ImageTextMatchingHead}, see {@link startFrom}. Keys
 * `weight`, `bias`.
 */
export class RankingHead extends Linear {
  constructor(hiddenSize: number) {
    super(2 * hiddenSize, 1, { initializer: initializers.normal(0, 0.02) });
  }

  /** pooled [batch, 2 · width] → scores [batch] */
  score(pooled: Tensor): Tensor {
    return select(this.forward(pooled), -1, 0);
  }

  /** Takes over what a head has learned about class 1; that head itself trains no more beside this one. */
  async startFrom({ fc }: ImageTextMatchingHead): Promise<void> {
    const [weight, bias] = await Promise.all([fc.floatWeight.data(), fc.bias!.data()]);
    this.floatWeight.set((weight as Float32Array).slice(this.floatWeight.size));
    this.bias!.set((bias as Float32Array).slice(1));
  }
}

/** Features of one modality for the contrastive loss, of length one. Key `fc`. */
export class ContrastiveHead extends Module {
  readonly fc: Linear;

  constructor(width: number, outputs = 256) {
    super();
    this.fc = newLinear(width, outputs);
  }

  /** the encoder's last layer [batch, tokens, width] → [batch, outputs], from the first token */
  forward(x: Tensor): Tensor {
    return l2Normalize(this.fc.forward(select(x, 1, 0)));
  }
}

/** Sizes of a {@link ClassificationHead}. */
export interface ClassificationHeadOptions {
  /** Width between its two layers. Default: the head is one layer (`task_head_layers` of 1). */
  readonly hidden?: number | undefined;
  /** Share of its inputs dropped in training. Default: 0. */
  readonly dropout?: number;
}

/**
 * Linear, LayerNorm, GELU, Linear: answers VQA, SNLI-VE and NLVR². Keys `0`, `1` and `3`, the places in the official
 * sequence; a head of one layer has `0` alone, and no published model has such a one.
 */
export class ClassificationHead extends Module {
  readonly 0: Linear;
  readonly 1: LayerNorm | undefined;
  readonly 3: Linear | undefined;
  private readonly dropoutRate: number;

  constructor(inputs: number, classes: number, { hidden, dropout: dropoutRate = 0 }: ClassificationHeadOptions = {}) {
    super();
    this[0] = newLinear(inputs, hidden ?? classes);
    this[1] = hidden === undefined ? undefined : new LayerNorm(hidden);
    this[3] = hidden === undefined ? undefined : newLinear(hidden, classes);
    this.dropoutRate = dropoutRate;
  }

  /** pooled [batch, inputs] → logits [batch, classes] */
  forward(pooled: Tensor, { dropoutKey }: { readonly dropoutKey?: StreamKey | undefined } = {}): Tensor {
    const first = this[0].forward(dropout(pooled, { rate: this.dropoutRate, key: dropoutKey }));
    return this[1] && this[3] ? this[3].forward(gelu(this[1].forward(first))) : first;
  }
}
