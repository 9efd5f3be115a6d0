import {
  add,
  ConfigError,
  Conv2d,
  initializers,
  Module,
  Parameter,
  pixelUnshuffle,
  reshape,
  ShapeError,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { mapToTokens, patchGrid, requirePixels } from '../vit/patches.js';
import { resizePositions } from '../vit/positions.js';
import { gridToTokens } from '../vit/windows.js';
import { parseSamVisionConfig, type SamVisionConfig, type SamVisionConfigInput } from './config.js';
import { SamLayer } from './layer.js';
import { SamNeck } from './neck.js';

export interface SamForwardOptions {
  /**
   * Take images of any size, at least a patch in each direction: positions are resized bicubically to the grid of
   * patches, and the offsets of blocks that attend globally linearly. Default: false, which refuses other sizes than
   * the configured one, as the original does.
   */
  readonly interpolatePositions?: boolean;
}

export interface SamFeatureOptions extends SamForwardOptions, FeatureOptions {
  /** The features are those behind the neck: there is no choice. */
  readonly layer?: undefined;
}

/** What the encoder computes; a tensor that nobody asks for costs nothing. */
export interface SamVisionOutput {
  /** Input of the first block, then the output of each block: numHiddenLayers + 1 of [batch, tokens, hiddenSize]. */
  readonly hiddenStates: readonly Tensor[];
  /** Behind the neck and the unshuffling, [batch, width, rows, columns]. */
  readonly featureMap: Tensor;
}

class PatchEmbedding extends Module {
  readonly projection: Conv2d;

  constructor({ numChannels, hiddenSize, patchSize, initializerRange }: SamVisionConfig) {
    super();
    const initializer = initializers.normal(0, initializerRange);
    this.projection = new Conv2d(numChannels, hiddenSize, patchSize, { stride: patchSize, initializer });
  }

  /** pixels [batch, channels, height, width] → [batch, rows, columns, hiddenSize] */
  forward(pixels: Tensor): Tensor {
    return transpose(this.projection.forward(pixels), [0, 2, 3, 1]);
  }
}

/**
 * The image encoder of SAM (Kirillov et al. 2023, "Segment Anything"), with its own neck or Eagle's (Shi et al. 2024).
 * Parameters are named as in Hugging Face's `SamVisionEncoder` and Eagle's `SAMVisionTower`, and start as there.
 */
export class SamVisionEncoder extends Module implements VisionEncoder {
  readonly config: SamVisionConfig;
  readonly width: number;
  /** [1, rows, columns, hiddenSize] */
  readonly pos_embed: Parameter | undefined;
  readonly patch_embed: PatchEmbedding;
  readonly layers: readonly SamLayer[];
  readonly neck: SamNeck;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: SamVisionConfigInput = {}) {
    super();
    this.config = parseSamVisionConfig(config);
    const { hiddenSize, imageSize, patchSize, globalAttentionIndexes, windowSize } = this.config;
    this.width = this.config.outputChannels * this.config.pixelUnshuffle ** 2;
    const grid = patchGrid(imageSize, imageSize, patchSize);
    this.pos_embed = this.config.useAbsolutePositions ? new Parameter([1, ...grid, hiddenSize]) : undefined;
    this.patch_embed = new PatchEmbedding(this.config);
    this.layers = Array.from(
      { length: this.config.numHiddenLayers },
      (_, index) => new SamLayer(this.config, globalAttentionIndexes.includes(index) ? undefined : windowSize),
    );
    this.neck = new SamNeck(this.config);
  }

  /**
   * pixels [batch, channels, height, width] → all hidden states, and what the neck makes of the last one.
   *
   * @throws ShapeError if the pixels do not have the configured size, unless `interpolatePositions` is set; then, if
   *   `pixelUnshuffle` does not divide their patches
   */
  forward(pixels: Tensor, { interpolatePositions = false }: SamForwardOptions = {}): SamVisionOutput {
    requirePixels('SamVisionEncoder', pixels, this.config, interpolatePositions);
    const { pixelUnshuffle: factor } = this.config;
    let state = this.patch_embed.forward(pixels);
    const grid = state.shape.slice(1, 3) as [number, number];
    if (grid.some((length) => length % factor !== 0)) {
      throw new ShapeError({
        operation: 'SamVisionEncoder',
        expected: `rows and columns of patches that are multiples of ${factor}`,
        received: `${grid.join(' × ')} patches`,
        remedy: 'Resize the images.',
      });
    }
    if (this.pos_embed) state = add(state, this.positions(this.pos_embed, grid));
    const states = [state];
    for (const layer of this.layers) {
      state = layer.forward(state);
      states.push(state);
    }
    const map = this.neck.forward(transpose(state, [0, 3, 1, 2]));
    return {
      hiddenStates: states.map(gridToTokens),
      featureMap: factor === 1 ? map : pixelUnshuffle(map, factor),
    };
  }

  /**
   * What is behind the neck, as tokens. pixels [batch, channels, height, width] → [batch, tokens, width].
   *
   * @throws ConfigError if a layer is chosen
   * @throws ShapeError as {@link forward}
   */
  features(pixels: Tensor, { layer, ...options }: SamFeatureOptions = {}): Tensor {
    if (layer !== undefined) {
      throw new ConfigError({
        operation: 'SamVisionEncoder.features',
        expected: 'no layer: the features are those behind the neck',
        received: String(layer),
        remedy: 'Leave it out, or take a hidden state of forward().',
      });
    }
    return mapToTokens(this.forward(pixels, options).featureMap);
  }

  /** All hidden states, and what the neck makes of the last one: of another width, and of another grid if it unshuffles. */
  levels(pixels: Tensor, options: SamForwardOptions = {}): FeatureLevel[] {
    const { hiddenStates, featureMap } = this.forward(pixels, options);
    const [height, width] = pixels.shape.slice(2) as [number, number];
    const grid = patchGrid(height, width, this.config.patchSize);
    return [
      ...hiddenStates.map((features) => ({ features, grid })),
      { features: mapToTokens(featureMap), grid: this.featureGrid(height, width) },
    ];
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    const [rows, columns] = patchGrid(height, width, this.config.patchSize);
    return [rows / this.config.pixelUnshuffle, columns / this.config.pixelUnshuffle];
  }

  /** The table for a grid of patches, [1, rows, columns, hiddenSize]. */
  private positions(table: Tensor, [rows, columns]: readonly [number, number]): Tensor {
    const [, ownRows, ownColumns, width] = table.shape as [number, number, number, number];
    if (rows === ownRows && columns === ownColumns) return table;
    const flat = reshape(table, [ownRows * ownColumns, width]);
    return reshape(resizePositions(flat, { size: [rows, columns] }), [1, rows, columns, width]);
  }
}
