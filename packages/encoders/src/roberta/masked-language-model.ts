import { gelu, initializers, LayerNorm, Linear, linear, Module, Parameter, type Tensor } from '@ocelli/core-tensor';
import type { RobertaConfigInput } from './config.js';
import { Roberta, type RobertaForwardOptions, type RobertaInputs, type RobertaOutput } from './roberta.js';

/** Turns hidden states to the width of the word table; its own bias is that of the logits. */
class LanguageModelHead extends Module {
  readonly dense: Linear;
  readonly layer_norm: LayerNorm;
  readonly bias: Parameter;

  constructor({ config }: Roberta) {
    super();
    const { hiddenSize, layerNormEps, vocabSize, initializerRange } = config;
    this.dense = new Linear(hiddenSize, hiddenSize, { initializer: initializers.normal(0, initializerRange) });
    this.layer_norm = new LayerNorm(hiddenSize, layerNormEps);
    this.bias = new Parameter([vocabSize]);
  }

  /** state [batch, tokens, width], words [vocabulary, width] → logits [batch, tokens, vocabulary] */
  forward(state: Tensor, words: Tensor): Tensor {
    return linear(this.layer_norm.forward(gelu(this.dense.forward(state))), words, this.bias);
  }
}

/**
 * RoBERTa with the head that predicts masked tokens; its last layer is the word table. Parameters are named as in
 * Hugging Face's `RobertaForMaskedLM`, which has no pooling layer.
 */
export class RobertaForMaskedLm extends Module {
  readonly roberta: Roberta;
  readonly lm_head: LanguageModelHead;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: RobertaConfigInput = {}) {
    super();
    this.roberta = new Roberta({ addPoolingLayer: false, ...config });
    this.lm_head = new LanguageModelHead(this.roberta);
  }

  /**
   * Tokens → logits [batch, tokens, vocabulary], beside what the encoder computes.
   *
   * @throws ShapeError as {@link Roberta.forward}
   */
  forward(inputs: RobertaInputs, options: RobertaForwardOptions = {}): RobertaOutput & { readonly logits: Tensor } {
    const output = this.roberta.forward(inputs, options);
    const words = this.roberta.embeddings.word_embeddings.weight;
    return { ...output, logits: this.lm_head.forward(output.lastHiddenState, words) };
  }
}
