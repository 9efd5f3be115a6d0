import { ConfigError, LayerNorm, Module, ShapeError, select, sliceAxis, type Tensor } from '@ocelli/core-tensor';
import { type ClipVisionConfig, type ClipVisionConfigInput, parseClipVisionConfig } from './config.js';
import { ClipVisionEmbeddings } from './embeddings.js';
import { ClipEncoderLayer } from './encoder-layer.js';

export interface ClipForwardOptions {
  /**
   * Take images of any size, at least a patch in each direction: positions are resized bicubically to the grid of
   * patches. Default: false, which refuses other sizes than the configured one.
   */
  readonly interpolatePositions?: boolean;
}

export interface ClipFeatureOptions extends ClipForwardOptions {
  /** Which hidden state: 0 is the input of the first block, −1 the output of the last one. Default: −2, as LLaVA-1.5. */
  readonly layer?: number;
  /** Keep the class token in front of the patches. Default: false. */
  readonly keepClassToken?: boolean;
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

class ClipEncoder extends Module {
  readonly layers: readonly ClipEncoderLayer[];

  constructor(config: ClipVisionConfig) {
    super();
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new ClipEncoderLayer(config));
  }
}

class ClipVisionTransformer extends Module {
  readonly embeddings: ClipVisionEmbeddings;
  // Spelled as in all published checkpoints.
  readonly pre_layrnorm: LayerNorm;
  readonly encoder: ClipEncoder;
  readonly post_layernorm: LayerNorm;

  constructor(config: ClipVisionConfig) {
    super();
    this.embeddings = new ClipVisionEmbeddings(config);
    this.pre_layrnorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.encoder = new ClipEncoder(config);
    this.post_layernorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
  }
}

/**
 * The vision transformer of CLIP (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
 * Supervision"). Parameters are named as in Hugging Face's `CLIPVisionModel`, and start as there.
 */
export class ClipVisionTower extends Module {
  readonly config: ClipVisionConfig;
  readonly vision_model: ClipVisionTransformer;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ClipVisionConfigInput = {}) {
    super();
    this.config = parseClipVisionConfig(config);
    this.vision_model = new ClipVisionTransformer(this.config);
  }

  /**
   * pixels [batch, channels, height, width] → all hidden states.
   *
   * @throws ShapeError if the pixels do not have the configured size, unless `interpolatePositions` is set
   */
  forward(pixels: Tensor, { interpolatePositions = false }: ClipForwardOptions = {}): ClipVisionOutput {
    const hiddenStates = this.hiddenStates(pixels, this.config.numHiddenLayers, interpolatePositions);
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
    const { layer = -2, keepClassToken = false, interpolatePositions = false } = options;
    const count = this.config.numHiddenLayers + 1;
    if (!Number.isInteger(layer) || layer >= count || layer < -count) {
      throw new ConfigError({
        operation: 'ClipVisionTower.features',
        expected: `a layer between ${-count} and ${count - 1}`,
        received: String(layer),
      });
    }
    const blocks = layer < 0 ? layer + count : layer;
    const state = this.hiddenStates(pixels, blocks, interpolatePositions).at(-1)!;
    return keepClassToken ? state : sliceAxis(state, 1, 1);
  }

  /** Rows and columns of patches in an image of this size in pixels. Default: the configured size. */
  patchGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    const { patchSize } = this.config;
    return [Math.floor(height / patchSize), Math.floor(width / patchSize)];
  }

  private hiddenStates(pixels: Tensor, blocks: number, interpolatePositions: boolean): Tensor[] {
    const { numChannels, patchSize } = this.config;
    const [, channels, height = 0, width = 0] = pixels.shape;
    if (pixels.shape.length !== 4 || channels !== numChannels || Math.min(height, width) < patchSize) {
      throw new ShapeError({
        operation: 'ClipVisionTower',
        expected: `pixels [batch, ${numChannels}, height, width] of at least ${patchSize} × ${patchSize}`,
        received: [pixels.shape],
      });
    }
    const { embeddings, pre_layrnorm, encoder } = this.vision_model;
    let state = pre_layrnorm.forward(embeddings.forward(pixels, interpolatePositions));
    const states = [state];
    for (const layer of encoder.layers.slice(0, blocks)) {
      state = layer.forward(state);
      states.push(state);
    }
    return states;
  }
}
