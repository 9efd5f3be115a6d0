import { add, expandDims, Linear, Module, mul, ShapeError, select, type Tensor, where } from '@ocelli/core-tensor';
import { startOf } from '../initializer.js';
import { type MoaiMixerConfig, type MoaiMixerConfigInput, parseMoaiMixerConfig } from './config.js';
import { MoaiExpert } from './expert.js';
import { expertWeights, type MoaiRouting } from './routing.js';

/** What a mixer mixes by. */
export interface MixOptions {
  /** Compressed auxiliary tokens [batch, tokens, hiddenSize]. */
  readonly aux: Tensor;
  /** Places of the image, bool [batch, tokens]. */
  readonly imageMask: Tensor;
  /**
   * Places of the language, bool [batch, tokens]: prompts, no padding, and in training no answers, which experts would
   * show to the tokens in front of them. What is in neither mask passes unmixed.
   */
  readonly languageMask: Tensor;
  readonly routing: MoaiRouting;
}

/** Weights of the experts of each modality, in the order of `expertNames`. */
export interface ExpertWeights {
  /** [batch, tokens, 3], or [1, 1, 3] where all tokens share them. */
  readonly image: Tensor;
  /** As `image`. */
  readonly language: Tensor;
}

/**
 * MoAI-Mixer: three experts for image tokens I and three for language tokens L, weighted per token by two gates
 * (Lee et al. 2024; `moai/arch/modeling_internlm2.py`). I reads the auxiliary tokens, L and itself; L reads the auxiliary
 * tokens, I and itself; all read what came in, unmixed. I' = Σ softmax(W·i + b)ₖ · expertₖ(I), and L' alike.
 *
 * It stands between a block's norm and its attention: only queries, keys and values change, the residual does not. (The
 * paper writes it in front of the whole block, and a gate without bias; the published weights are of the code.)
 * Parameters are named as in the published checkpoint below `attention`. Experts work on whole sequences and masks
 * choose rows and keys, so that one program serves all places of the image.
 */
export class MoaiMixer extends Module {
  readonly config: MoaiMixerConfig;
  readonly moai_CA_img_aux: MoaiExpert;
  readonly moai_CA_img_lang: MoaiExpert;
  readonly moai_SA_img: MoaiExpert;
  readonly moai_CA_lang_aux: MoaiExpert;
  readonly moai_CA_lang_img: MoaiExpert;
  readonly moai_SA_lang: MoaiExpert;
  readonly moai_GA_img: Linear;
  readonly moai_GA_lang: Linear;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: MoaiMixerConfigInput = {}) {
    super();
    this.config = parseMoaiMixerConfig(config);
    this.moai_CA_img_aux = new MoaiExpert(this.config);
    this.moai_CA_img_lang = new MoaiExpert(this.config);
    this.moai_SA_img = new MoaiExpert(this.config);
    this.moai_CA_lang_aux = new MoaiExpert(this.config);
    this.moai_CA_lang_img = new MoaiExpert(this.config);
    this.moai_SA_lang = new MoaiExpert(this.config);
    const { hiddenSize, initializerRange } = this.config;
    this.moai_GA_img = new Linear(hiddenSize, 3, startOf(initializerRange));
    this.moai_GA_lang = new Linear(hiddenSize, 3, startOf(initializerRange));
  }

  /** Weights of the experts for normalised tokens [batch, tokens, hiddenSize]; those of tokens of the other modality mean nothing. */
  expertWeights(normalized: Tensor, routing: MoaiRouting): ExpertWeights {
    return {
      image: expertWeights(routing, { index: 0, logits: () => this.moai_GA_img.forward(normalized) }),
      language: expertWeights(routing, { index: 1, logits: () => this.moai_GA_lang.forward(normalized) }),
    };
  }

  /**
   * Normalised tokens [batch, tokens, hiddenSize] → the same, mixed.
   *
   * @throws ShapeError if masks or auxiliary tokens do not fit the tokens
   */
  forward(normalized: Tensor, { aux, imageMask, languageMask, routing }: MixOptions): Tensor {
    requireShapes(normalized, { aux, imageMask, languageMask });
    const weights = this.expertWeights(normalized, routing);
    const image = weighted(weights.image, [
      this.moai_CA_img_aux.forward(normalized, aux),
      this.moai_CA_img_lang.forward(normalized, normalized, languageMask),
      this.moai_SA_img.forward(normalized, normalized, imageMask),
    ]);
    const language = weighted(weights.language, [
      this.moai_CA_lang_aux.forward(normalized, aux),
      this.moai_CA_lang_img.forward(normalized, normalized, imageMask),
      this.moai_SA_lang.forward(normalized, normalized, languageMask),
    ]);
    const others = where(expandDims(languageMask, -1), language, normalized);
    return where(expandDims(imageMask, -1), image, others);
  }
}

/** Σ weightsₖ · outputsₖ with weights [..., 3]. */
function weighted(weights: Tensor, outputs: readonly Tensor[]): Tensor {
  return outputs
    .map((output, expert) => mul(expandDims(select(weights, -1, expert), -1), output))
    .reduce((sum, each) => add(sum, each));
}

function requireShapes(normalized: Tensor, { aux, imageMask, languageMask }: Omit<MixOptions, 'routing'>): void {
  const [batch, tokens, width] = normalized.shape;
  const fits =
    normalized.shape.length === 3 &&
    aux.shape.length === 3 &&
    aux.shape[0] === batch &&
    aux.shape[2] === width &&
    [imageMask, languageMask].every(
      ({ shape, dtype }) => dtype === 'bool' && shape.length === 2 && shape[0] === batch && shape[1] === tokens,
    );
  if (fits) return;
  throw new ShapeError({
    operation: 'MoaiMixer.forward',
    expected: 'tokens [batch, tokens, width], auxiliary tokens [batch, any, width] and two bool masks [batch, tokens]',
    received: [normalized.shape, aux.shape, imageMask.shape, languageMask.shape],
  });
}
