import { logicalAnd, logicalNot, Module, notEqual, type Tensor, zeros } from '@ocelli/core-tensor';
import { type MoaiMixersConfig, type MoaiMixersConfigInput, parseMoaiMixersConfig } from './config.js';
import { type ExpertWeights, MoaiMixer } from './moai-mixer.js';
import { type MoaiMode, type MoaiRouting, routingOf } from './routing.js';

/** Where in a decoder a mixer is asked: what a decoder tells its hooks. */
export interface MixingPlace {
  /** Layers count from 0. */
  readonly layer: number;
  /** Which tokens are visual: bool [batch, tokens]; `undefined` in decoding steps. */
  readonly visualMask?: Tensor | undefined;
  /** [batch, tokens], 0 (or false) where padded. `undefined`: nothing is. */
  readonly attentionMask?: Tensor | undefined;
}

/** What {@link MoaiMixers.hooks} mixes in. */
export interface MixingOptions {
  /** Compressed auxiliary tokens [batch, tokens, hiddenSize]. */
  readonly aux: Tensor;
  /** Places of the language, bool [batch, tokens]. Default: all that are neither visual nor padding. */
  readonly languageMask?: Tensor | undefined;
  /** Default: `evaluation`. */
  readonly mode?: MoaiMode;
  /** In place of the mode's routing, by layer: given draws, or an ablation. */
  readonly routing?: MoaiRouting | ((layer: number) => MoaiRouting);
  /** Is told the weights of the experts of each layer with a mixer, while the pass is recorded. */
  readonly onWeights?: (layer: number, weights: ExpertWeights) => void;
}

/** What a decoder calls between a block's norm and its attention. */
export interface MixingHooks {
  readonly beforeAttention: (normalized: Tensor, place: MixingPlace) => Tensor;
}

/**
 * The mixers of a decoder, one of its own for each of some layers. A decoder that calls hooks in front of its attention
 * takes them with {@link hooks}; parameters are named `layers.7.moai_…`.
 */
export class MoaiMixers extends Module {
  readonly config: MoaiMixersConfig;
  /** By the number of their layer. */
  readonly layers: Readonly<Record<number, MoaiMixer>>;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: MoaiMixersConfigInput = {}) {
    super();
    this.config = parseMoaiMixersConfig(config);
    const { layers, ...mixer } = this.config;
    this.layers = Object.fromEntries(layers.map((layer) => [layer, new MoaiMixer(mixer)]));
  }

  /**
   * Hooks that mix while a prompt is read. In decoding steps, where no token is visual, leave them out: later tokens read
   * mixed keys and values from the cache.
   *
   * @throws ConfigError in `step1` outside of `withTrainingKey`
   */
  hooks({ aux, languageMask, mode = 'evaluation', routing, onWeights }: MixingOptions): MixingHooks {
    const { gatePrecision } = this.config;
    const given = typeof routing === 'function' ? routing : routing && (() => routing);
    const routingAt = given ?? ((layer: number) => routingOf(mode, { gatePrecision, layer }));
    return {
      beforeAttention: (normalized, { layer, visualMask, attentionMask }) => {
        const mixer = this.layers[layer];
        if (!mixer) return normalized;
        const size = normalized.shape.slice(0, 2);
        const imageMask = visualMask ?? zeros(size, 'bool');
        const notImage = logicalNot(imageMask);
        const language = languageMask ?? (attentionMask ? logicalAnd(notImage, present(attentionMask)) : notImage);
        const chosen = routingAt(layer);
        onWeights?.(layer, mixer.expertWeights(normalized, chosen));
        return mixer.forward(normalized, { aux, imageMask, languageMask: language, routing: chosen });
      },
    };
  }
}

function present(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? mask : notEqual(mask, 0);
}
