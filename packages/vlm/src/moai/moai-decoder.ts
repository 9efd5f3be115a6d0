import { ConfigError, initializers, Module, notEqual, Parameter, type Tensor, where } from '@ocelli/core-tensor';
import { Llama, type LlamaOutput } from '@ocelli/language';
import { addPartialLora, type ExpertWeights, type MixingOptions, MoaiMixers } from '@ocelli/moai-mixer';
import { type MoaiDecoderConfig, type MoaiDecoderConfigInput, parseMoaiDecoderConfig } from './config.js';

/** A sequence with an image in it, and what is mixed into it. */
export interface MoaiSequence {
  /** [batch, tokens, hiddenSize] */
  readonly inputsEmbeds: Tensor;
  /** [batch, tokens], 0 (or false) where padded. Default: nothing is. */
  readonly attentionMask?: Tensor | undefined;
  /** Places of the image, bool [batch, tokens]. */
  readonly imageMask: Tensor;
  /**
   * Places of the language, bool [batch, tokens]. Default: all that are neither of the image nor padding. In training,
   * answers must be left out: experts see all of the language, also what comes later.
   */
  readonly languageMask?: Tensor | undefined;
  /** Compressed auxiliary tokens [batch, any, hiddenSize]. */
  readonly aux: Tensor;
  /** Ids to predict [batch, tokens], −100 where nothing is trained. */
  readonly labels?: Tensor | undefined;
}

/** How a pass mixes. */
export type MoaiPassOptions = Pick<MixingOptions, 'mode' | 'routing' | 'onWeights'>;

/**
 * A language model with partial LoRA at image positions and MoAI-Mixers in front of the attention of some layers
 * (Lee et al. 2024; `moai/arch/modeling_internlm2.py`). The official code counts padding in rotary angles, and ignores
 * position ids; angles are relative, so that outputs do not depend on it.
 */
export class MoaiDecoder extends Module {
  readonly config: MoaiDecoderConfig;
  readonly language: Llama;
  readonly mixers: MoaiMixers;
  /** Row of the token table that `<image>` has in published checkpoints; visual tokens stand in its place. */
  readonly image_token: Parameter;

  /** @throws ConfigError that names every unknown or invalid field, or a mixer in a layer that does not exist */
  constructor(config: MoaiDecoderConfigInput = {}) {
    super();
    this.config = parseMoaiDecoderConfig(config);
    const { language, mixers, partialLora } = this.config;
    const beyond = mixers.layers.find((layer) => layer >= language.numHiddenLayers);
    if (beyond !== undefined) {
      throw new ConfigError({
        operation: 'MoaiDecoder',
        expected: `mixers in layers 0 to ${language.numHiddenLayers - 1}`,
        received: `layer ${beyond}`,
      });
    }
    this.language = new Llama(language);
    this.mixers = new MoaiMixers({ ...mixers, hiddenSize: language.hiddenSize });
    this.image_token = new Parameter([1, language.hiddenSize], {
      initializer: initializers.normal(0, language.initializerRange),
      trainable: false,
    });
    if (partialLora) {
      this.language.model.layers.forEach(({ self_attn, mlp }, layer) => {
        const { q_proj, k_proj, v_proj, o_proj } = self_attn;
        const inputs = { 'self_attn.qkv': [q_proj, k_proj, v_proj], 'self_attn.o_proj': [o_proj] };
        const { gate_proj, up_proj, down_proj } = mlp;
        const all = { ...inputs, 'mlp.gate': [gate_proj], 'mlp.up': [up_proj], 'mlp.down': [down_proj] };
        for (const [path, layers] of Object.entries(all))
          addPartialLora(layers, `layers.${layer}.${path}`, partialLora);
      });
    }
  }

  /**
   * Logits, hidden states, and with labels the loss: the mean over labels that are not of padding.
   *
   * @throws ConfigError in `step1` outside of `withTrainingKey`
   */
  forward(sequence: MoaiSequence, options: MoaiPassOptions = {}): LlamaOutput {
    const { inputsEmbeds, attentionMask, imageMask, languageMask, aux, labels } = sequence;
    return this.language.forward({
      inputsEmbeds,
      attentionMask,
      visualMask: imageMask,
      hooks: this.mixers.hooks({ aux, languageMask, ...options }),
      labels: labels && attentionMask ? where(isSet(attentionMask), labels, -100) : labels,
    });
  }

  /** Weights of the experts of every layer with a mixer, by its number. */
  gateWeights(sequence: MoaiSequence, options: Omit<MoaiPassOptions, 'onWeights'> = {}): Map<number, ExpertWeights> {
    const found = new Map<number, ExpertWeights>();
    this.forward(sequence, { ...options, onWeights: (layer, weights) => found.set(layer, weights) });
    return found;
  }
}

/** A mask as bool. */
export function isSet(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? mask : notEqual(mask, 0);
}
