import { LayerNorm, Module, select, sliceAxis, type Tensor } from '@ocelli/core-tensor';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { VitEncoder } from '../vit/block.js';
import { blocksOfHiddenState } from '../vit/hidden-state.js';
import { patchGrid, requirePixels } from '../vit/patches.js';
import { blockConfig } from './block-config.js';
import { type ClipVisionConfig, type ClipVisionConfigInput, parseClipVisionConfig } from './config.js';
import { ClipVisionEmbeddings } from './embeddings.js';

export interface ClipForwardOptions {
  /**
   * Take images of any size, at least a patch in each direction: positions are resized bicubically to the grid of
   * patches, as in Hugging Face's tower, or with antialiasing, as in Eagle's. Default: false, which refuses other sizes
   * than the configured one.
   */
  readonly interpolatePositions?: boolean | 'antialias';
}

export interface ClipFeatureOptions extends FeatureOptions, ClipForwardOptions {
  /** Which hidden state: 0 is the input of the first block, −1 the output of the last one. Default: −2, as LLaVA-1.5. */
  readonly layer?: number | undefined;
  /**
   * The class token takes part and is dropped at the end, or kept in front of the patches; or it is absent from the
   * first norm on, as in Eagle, where patches attend to patches only. Default: `drop`.
   */
  readonly classToken?: 'drop' | 'keep' | 'absent';
}

/** What the tower computes; a tensor that nobody asks for costs nothing. */
export interface ClipVisionOutput {
  /** Input of the first block, then the output of each block: numHiddenLayers + 1 of [batch, 1 + patches, width]. */
  readonly hiddenStates: readonly Tensor[];
  /** Output of the last block, without the final norm. [batch, 1 + patches, width] */
  readonly lastHiddenState: Tensor;
  /** The final norm of the class token. [batch, width] */
  readonly poolerOutput: Tensor;
}

class ClipVisionTransformer extends Module {
  readonly embeddings: ClipVisionEmbeddings;
  // Spelled as in all published checkpoints.
  readonly pre_layrnorm: LayerNorm;
  readonly encoder: VitEncoder;
  readonly post_layernorm: LayerNorm;

  constructor(config: ClipVisionConfig) {
    super();
    this.embeddings = new ClipVisionEmbeddings(config);
    this.pre_layrnorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.encoder = new VitEncoder(config.numHiddenLayers, blockConfig(config));
    this.post_layernorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
  }
}

/**
 * The vision transformer of CLIP (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
 * Supervision"). Parameters are named as in Hugging Face's `CLIPVisionModel`, and start as there.
 */
export class ClipVisionTower extends Module implements VisionEncoder {
  readonly config: ClipVisionConfig;
  readonly vision_model: ClipVisionTransformer;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ClipVisionConfigInput = {}) {
    super();
    this.config = parseClipVisionConfig(config);
    this.vision_model = new ClipVisionTransformer(this.config);
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
  forward(pixels: Tensor, options: ClipForwardOptions = {}): ClipVisionOutput {
    const hiddenStates = this.hiddenStates(pixels, this.config.numHiddenLayers, options);
    const lastHiddenState = hiddenStates.at(-1)!;
    const poolerOutput = this.vision_model.post_layernorm.forward(select(lastHiddenState, 1, 0));
    return { hiddenStates, lastHiddenState, poolerOutput };
  }

  /**
   * One hidden state, for a projector: blocks beyond it do not run, so that training leaves them as they are.
   * pixels [batch, channels, height, width] → [batch, patches, width], or [batch, 1 + patches, width] with class token.
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError as {@link forward}
   */
  features(pixels: Tensor, options: ClipFeatureOptions = {}): Tensor {
    const { layer = -2, classToken = 'drop' } = options;
    const blocks = blocksOfHiddenState('ClipVisionTower.features', layer, this.config.numHiddenLayers);
    const state = this.hiddenStates(pixels, blocks, options).at(-1)!;
    return classToken === 'drop' ? sliceAxis(state, 1, 1) : state;
  }

  /** Rows and columns of patches in an image of this size in pixels. Default: the configured size. */
  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    return patchGrid(height, width, this.config.patchSize);
  }

  /** All hidden states, without a class token unless it is kept. */
  levels(pixels: Tensor, options: Omit<ClipFeatureOptions, 'layer'> = {}): FeatureLevel[] {
    const states = this.hiddenStates(pixels, this.config.numHiddenLayers, options);
    const grid = this.featureGrid(pixels.shape[2], pixels.shape[3]);
    const { classToken = 'drop' } = options;
    return states.map((state) => ({ features: classToken === 'drop' ? sliceAxis(state, 1, 1) : state, grid }));
  }

  private hiddenStates(pixels: Tensor, blocks: number, options: ClipFeatureOptions): Tensor[] {
    const { interpolatePositions = false, classToken } = options;
    requirePixels('ClipVisionTower', pixels, this.config, interpolatePositions !== false);
    const { embeddings, pre_layrnorm, encoder } = this.vision_model;
    const tokens = embeddings.forward(pixels, {
      classToken: classToken !== 'absent',
      antialias: interpolatePositions === 'antialias',
    });
    return encoder.forward(pre_layrnorm.forward(tokens), blocks);
  }
}
