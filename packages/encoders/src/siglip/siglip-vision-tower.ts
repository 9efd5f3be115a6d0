import { LayerNorm, Module, type Tensor } from '@ocelli/core-tensor';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { VitEncoder } from '../vit/block.js';
import { blocksOfHiddenState } from '../vit/hidden-state.js';
import { patchGrid, requirePixels } from '../vit/patches.js';
import { blockConfig } from './block-config.js';
import { parseSiglipVisionConfig, type SiglipVisionConfig, type SiglipVisionConfigInput } from './config.js';
import { SiglipVisionEmbeddings } from './embeddings.js';
import { SiglipPoolingHead } from './pooling-head.js';

export interface SiglipForwardOptions {
  /**
   * Take images of any size, at least a patch in each direction: positions are resized bicubically to the grid of
   * patches. Default: false, which refuses other sizes than the configured one.
   */
  readonly interpolatePositions?: boolean;
}

export interface SiglipFeatureOptions extends FeatureOptions, SiglipForwardOptions {
  /**
   * Which hidden state, none of which is after the final norm: 0 is the input of the first block, −1 the output of the
   * last one. Default: −2, as LLaVA-NeXT, which takes the last block of the published tower away. A tower that is
   * configured or stored without that block has the same features at −1.
   */
  readonly layer?: number | undefined;
}

/** What the tower computes; a tensor that nobody asks for costs nothing. */
export interface SiglipVisionOutput {
  /** Input of the first block, then the output of each block: numHiddenLayers + 1 of [batch, patches, width]. */
  readonly hiddenStates: readonly Tensor[];
  /** Output of the last block after the final norm. [batch, patches, width] */
  readonly lastHiddenState: Tensor;
  /** What the pooling head makes of it, [batch, width]; undefined for a tower without head. */
  readonly poolerOutput: Tensor | undefined;
}

class SiglipVisionTransformer extends Module {
  readonly embeddings: SiglipVisionEmbeddings;
  readonly encoder: VitEncoder;
  readonly post_layernorm: LayerNorm;
  readonly head: SiglipPoolingHead | undefined;

  constructor(config: SiglipVisionConfig) {
    super();
    this.embeddings = new SiglipVisionEmbeddings(config);
    this.encoder = new VitEncoder(config.numHiddenLayers, blockConfig(config));
    this.post_layernorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.head = config.visionUseHead ? new SiglipPoolingHead(config) : undefined;
  }
}

/**
 * The vision transformer of SigLIP (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"). Parameters are
 * named as in Hugging Face's `SiglipVisionModel`, and start as there.
 */
export class SiglipVisionTower extends Module implements VisionEncoder {
  readonly config: SiglipVisionConfig;
  readonly vision_model: SiglipVisionTransformer;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: SiglipVisionConfigInput = {}) {
    super();
    this.config = parseSiglipVisionConfig(config);
    this.vision_model = new SiglipVisionTransformer(this.config);
  }

  get width(): number {
    return this.config.hiddenSize;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, channels, height, width] → all hidden states.
   *
   * @throws ShapeError if the pixels do not have the configured size, unless `interpolatePositions` is set
   */
  forward(pixels: Tensor, options: SiglipForwardOptions = {}): SiglipVisionOutput {
    const hiddenStates = this.hiddenStates(pixels, this.config.numHiddenLayers, options);
    const lastHiddenState = this.vision_model.post_layernorm.forward(hiddenStates.at(-1)!);
    return { hiddenStates, lastHiddenState, poolerOutput: this.vision_model.head?.forward(lastHiddenState) };
  }

  /**
   * One hidden state, for a projector: blocks beyond it do not run, so that training leaves them as they are.
   * pixels [batch, channels, height, width] → [batch, patches, width]
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError as {@link forward}
   */
  features(pixels: Tensor, options: SiglipFeatureOptions = {}): Tensor {
    const { numHiddenLayers } = this.config;
    const blocks = blocksOfHiddenState('SiglipVisionTower.features', options.layer ?? -2, numHiddenLayers);
    return this.hiddenStates(pixels, blocks, options).at(-1)!;
  }

  /** Rows and columns of patches in an image of this size in pixels. Default: the configured size. */
  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    return patchGrid(height, width, this.config.patchSize);
  }

  /** All hidden states, none of which is after the final norm. */
  levels(pixels: Tensor, options: SiglipForwardOptions = {}): FeatureLevel[] {
    const states = this.hiddenStates(pixels, this.config.numHiddenLayers, options);
    const grid = this.featureGrid(pixels.shape[2], pixels.shape[3]);
    return states.map((features) => ({ features, grid }));
  }

  private hiddenStates(pixels: Tensor, blocks: number, { interpolatePositions }: SiglipForwardOptions): Tensor[] {
    requirePixels('SiglipVisionTower', pixels, this.config, interpolatePositions === true);
    const { embeddings, encoder } = this.vision_model;
    return encoder.forward(embeddings.forward(pixels), blocks);
  }
}
