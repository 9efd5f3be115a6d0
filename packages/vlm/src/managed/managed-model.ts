import { Module, type Tensor } from '@ocelli/core-tensor';
import { SiglipVisionTower } from '@ocelli/encoders';
import type { LlamaOutput } from '@ocelli/language';
import type { ManagedVisionLanguageConfig } from './config.js';
import { ManagedDecoder, type ManagedDecoderOptions, type ManagedInput } from './managed-decoder.js';
import type { ManagedBatch } from './plan.js';

/**
 * SigLIP, a projector, and a language model with managers (LLaVA-OV-Manager; Xu et al. 2025, arXiv 2506.11515). The
 * published tower has 26 of SigLIP's 27 layers and no pooling head; its output before the final norm is projected.
 */
export class ManagedVisionLanguageModel extends Module {
  readonly vision: SiglipVisionTower;
  readonly decoder: ManagedDecoder;

  /** @throws ConfigError if a part's configuration is invalid */
  constructor({ vision, ...decoder }: ManagedVisionLanguageConfig) {
    super();
    this.vision = new SiglipVisionTower(vision);
    this.decoder = new ManagedDecoder({ ...decoder, visionWidth: this.vision.width });
  }

  /** The configuration with all defaults filled in. */
  get config() {
    const { visionWidth: _, ...decoder } = this.decoder.config;
    return { vision: this.vision.config, ...decoder };
  }

  /**
   * Images and sequences → logits, and the loss of the labels.
   *
   * @param pixelValues tower inputs of all images, [inputs, 3, height, width]
   */
  forward(pixelValues: Tensor, batch: ManagedBatch, options: ManagedDecoderOptions = {}): LlamaOutput {
    return this.decoder.forward(this.states(pixelValues), batch, options);
  }

  /** What the language model reads of images and sequences, for generating. */
  input(pixelValues: Tensor, batch: ManagedBatch): ManagedInput {
    return this.decoder.input(this.states(pixelValues), batch);
  }

  /** All hidden states of the tower, its patch embedding first: each [inputs, features, width]. */
  states(pixelValues: Tensor): readonly Tensor[] {
    return this.vision.forward(pixelValues).hiddenStates;
  }
}
