import {
  Conv2d,
  foldIn,
  foldStream,
  initializers,
  LayerNorm2d,
  Module,
  randomKey,
  ShapeError,
  type StreamKey,
  type Tensor,
  trainingKey,
} from '@ocelli/core-tensor';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { blocksOfHiddenState } from '../vit/hidden-state.js';
import { mapToTokens } from '../vit/patches.js';
import { type ConvNextConfig, type ConvNextConfigInput, parseConvNextConfig } from './config.js';
import { dropPathRates } from './drop-path-rates.js';
import { ConvNextStage } from './stage.js';

export interface ConvNextForwardOptions {
  /**
   * Of stochastic depth: residual branches of samples are dropped at random. Default: derived from that of
   * `withTrainingKey`; where there is none, nothing is dropped.
   */
  readonly key?: StreamKey | undefined;
  /**
   * Index of the first stage whose blocks keep only their inputs for the backward pass, which computes the rest again.
   * At 1536 pixels a side, 2 is advisable. Default: all is kept.
   */
  readonly recomputeFrom?: number | undefined;
}

export interface ConvNextFeatureOptions extends FeatureOptions, ConvNextForwardOptions {
  /** Which feature map: 0 is that of the stem, i that of stage i counted from 1, −1 that of the last. Default: −1. */
  readonly layer?: number | undefined;
}

/** Keeps the numbers of stochastic depth apart from those that others derive from the key of a training step. */
const stochasticDepth = foldIn(randomKey('stochastic depth'), 'convnext').low;

function defaultKey(): StreamKey | undefined {
  const key = trainingKey();
  return key && foldStream(key, stochasticDepth);
}

/** What the tower computes; a map that nobody asks for costs nothing. */
export interface ConvNextOutput {
  /** [batch, hiddenSizes[0], ⌊height / patchSize⌋, ⌊width / patchSize⌋] */
  readonly stem: Tensor;
  /** Of each stage, [batch, hiddenSizes[s], rows, columns]; a stage halves the grid of the one before, rounding down. */
  readonly stages: readonly Tensor[];
}

class ConvNextEmbeddings extends Module {
  readonly patch_embeddings: Conv2d;
  readonly layernorm: LayerNorm2d;

  constructor({ numChannels, patchSize, hiddenSizes, layerNormEps, initializerRange }: ConvNextConfig) {
    super();
    this.patch_embeddings = new Conv2d(numChannels, hiddenSizes[0]!, patchSize, {
      stride: patchSize,
      initializer: initializers.normal(0, initializerRange),
    });
    this.layernorm = new LayerNorm2d(hiddenSizes[0]!, layerNormEps);
  }

  /** pixels [batch, channels, height, width] → [batch, width, rows, columns] */
  forward(pixels: Tensor): Tensor {
    return this.layernorm.forward(this.patch_embeddings.forward(pixels));
  }
}

class ConvNextEncoder extends Module {
  readonly stages: readonly ConvNextStage[];

  constructor(config: ConvNextConfig, given: readonly ConvNextStage[]) {
    super();
    const { depths, hiddenSizes, kernelSize, hiddenAct, layerNormEps, layerScaleInit, initializerRange } = config;
    const rates = dropPathRates(config);
    const made = depths.slice(given.length).map((_, offset) => {
      const index = given.length + offset;
      return new ConvNextStage({
        inputWidth: hiddenSizes[Math.max(0, index - 1)]!,
        width: hiddenSizes[index]!,
        downsample: index > 0,
        dropPathRates: rates[index]!,
        kernelSize,
        activation: hiddenAct,
        layerNormEps,
        layerScaleInit,
        // timm truncates at ±2, a hundred deviations, which is the same distribution.
        initializer: initializers.normal(0, initializerRange),
      });
    });
    this.stages = [...given, ...made];
  }
}

/** Parts of another tower that a new one takes over. */
export interface ConvNextParts {
  readonly embeddings: ConvNextEmbeddings;
  readonly stages: readonly ConvNextStage[];
}

/**
 * ConvNeXt (Liu et al. 2022, "A ConvNet for the 2020s") as an encoder: stem and stages, without pooled norm and head. It
 * takes images of any size and aspect. Parameters are named as in Hugging Face's `ConvNextModel`, and start as there.
 */
export class ConvNextTower extends Module implements VisionEncoder {
  readonly config: ConvNextConfig;
  readonly embeddings: ConvNextEmbeddings;
  readonly encoder: ConvNextEncoder;

  /**
   * @param parts shared with another tower instead of made; used by {@link addConvNextStage}
   * @throws ConfigError that names every unknown or invalid field
   */
  constructor(config: ConvNextConfigInput = {}, parts?: ConvNextParts) {
    super();
    this.config = parseConvNextConfig(config);
    this.embeddings = parts?.embeddings ?? new ConvNextEmbeddings(this.config);
    this.encoder = new ConvNextEncoder(this.config, parts?.stages ?? []);
  }

  /** Width of the last stage. */
  get width(): number {
    return this.config.hiddenSizes.at(-1)!;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, channels, height, width] → all feature maps. Sides that a strided convolution does not divide lose
   * their last rows and columns there.
   *
   * @throws ShapeError if there are other channels, or less than one cell of the last stage in a direction
   */
  forward(pixels: Tensor, options: ConvNextForwardOptions = {}): ConvNextOutput {
    const [stem, ...stages] = this.maps(pixels, this.config.depths.length, options);
    return { stem: stem!, stages };
  }

  /**
   * One feature map as tokens, without a norm behind it: stages beyond it do not run.
   * pixels [batch, channels, height, width] → [batch, rows · columns, width of the stage], row by row.
   *
   * @throws ConfigError if there is no such layer
   * @throws ShapeError if there are other channels, or less than one cell of that map in a direction
   */
  features(pixels: Tensor, { layer = -1, ...options }: ConvNextFeatureOptions = {}): Tensor {
    const count = blocksOfHiddenState('ConvNextTower.features', layer, this.config.depths.length);
    return mapToTokens(this.maps(pixels, count, options).at(-1)!);
  }

  /** The map of the stem, which is as large as that of the first stage, and those of the stages; each has a width of its own. */
  levels(pixels: Tensor, options: ConvNextForwardOptions = {}): FeatureLevel[] {
    return this.maps(pixels, this.config.depths.length, options).map((map) => ({
      features: mapToTokens(map),
      grid: map.shape.slice(2) as [number, number],
    }));
  }

  /**
   * Rows and columns of a feature map (default: the last) of an image of this size in pixels (default: the configured
   * size, and a square).
   *
   * @throws ConfigError if there is no such layer
   */
  featureGrid(
    height: number = this.config.imageSize,
    width: number = height,
    { layer = -1 }: FeatureOptions = {},
  ): [rows: number, columns: number] {
    const count = blocksOfHiddenState('ConvNextTower.featureGrid', layer, this.config.depths.length);
    const stride = this.strideOf(count);
    return [Math.floor(height / stride), Math.floor(width / stride)];
  }

  /** Pixels between the cells of the map of a number of stages. Flooring stage by stage is flooring once. */
  private strideOf(stages: number): number {
    return this.config.patchSize * 2 ** Math.max(0, stages - 1);
  }

  /** The maps of the stem and of the first `count` stages. */
  private maps(pixels: Tensor, count: number, options: ConvNextForwardOptions): Tensor[] {
    const { key = defaultKey(), recomputeFrom = Infinity } = options;
    const { numChannels } = this.config;
    const [, channels, height = 0, width = 0] = pixels.shape;
    const stride = this.strideOf(count);
    if (pixels.shape.length !== 4 || channels !== numChannels || Math.min(height, width) < stride) {
      throw new ShapeError({
        operation: 'ConvNextTower',
        expected: `pixels [batch, ${numChannels}, height, width] of at least ${stride} × ${stride}`,
        received: [pixels.shape],
      });
    }
    const maps = [this.embeddings.forward(pixels)];
    for (const [index, stage] of this.encoder.stages.slice(0, count).entries()) {
      const run = { key: key && foldStream(key, index), recompute: index >= recomputeFrom };
      maps.push(stage.forward(maps[index]!, run));
    }
    return maps;
  }
}
