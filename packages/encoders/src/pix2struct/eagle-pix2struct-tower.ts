import {
  add,
  interpolate,
  Module,
  mul,
  parseConfig,
  reshape,
  ShapeError,
  type Tensor,
  tensor,
  transpose,
} from '@ocelli/core-tensor';
import { z } from 'zod';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { mapToTokens } from '../vit/patches.js';
import {
  type Pix2StructVisionConfig,
  type Pix2StructVisionConfigInput,
  parsePix2StructVisionConfig,
  pix2structVisionConfigs,
} from './config.js';
import { patchesOfPixels } from './patches-of-pixels.js';
import { Pix2StructVisionEncoder } from './pix2struct-vision-encoder.js';

const size = z.int().positive();
const perChannel = z.tuple([z.number(), z.number(), z.number()]).readonly();

const schema = z.strictObject({
  type: z.literal('eagle-pix2struct').default('eagle-pix2struct'),
  /** The encoder checks its own configuration. */
  vision: z.looseObject({}).optional(),
  imageSize: size.default(1024),
  mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
  outputGrid: size.nullable().default(32),
});

/** Structure of an {@link EaglePix2StructTower}; plain data. */
export interface EaglePix2StructConfig {
  readonly type: 'eagle-pix2struct';
  readonly vision: Pix2StructVisionConfig;
  /** Side of the images in pixels that it is meant for; it takes any. */
  readonly imageSize: number;
  /** Per channel, what the pixels were normalised with. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Side of the grid that the features are resized to; null leaves the grid of patches. */
  readonly outputGrid: number | null;
}

/** An {@link EaglePix2StructConfig} whose fields may be left out: they default to Eagle's. */
export interface EaglePix2StructConfigInput extends Partial<Omit<EaglePix2StructConfig, 'vision'>> {
  /** Default: Pix2Struct-large. */
  readonly vision?: Pix2StructVisionConfigInput | undefined;
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseEaglePix2StructConfig(config: EaglePix2StructConfigInput): EaglePix2StructConfig {
  const { vision, ...parsed } = parseConfig('parseEaglePix2StructConfig', schema, config);
  return {
    ...parsed,
    vision: vision
      ? parsePix2StructVisionConfig(vision as Pix2StructVisionConfigInput)
      : pix2structVisionConfigs['pix2struct-large'],
  };
}

/**
 * Pix2Struct behind the pixels that all of Eagle's experts share (Shi et al. 2024; `pix2struct_encoder.py`): CLIP's
 * normalisation is undone, the images are cut into patches as Pix2Struct does it, and the tokens become a square grid.
 *
 * The original fills its sequences up to `maxPatches`, masks what it added and cuts it off behind the encoder; here the
 * patches of an image are all there is, with the same result.
 */
export class EaglePix2StructTower extends Module implements VisionEncoder {
  readonly config: EaglePix2StructConfig;
  readonly vision_tower: Pix2StructVisionEncoder;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: EaglePix2StructConfigInput = {}) {
    super();
    this.config = parseEaglePix2StructConfig(config);
    this.vision_tower = new Pix2StructVisionEncoder(this.config.vision);
  }

  get width(): number {
    return this.vision_tower.width;
  }

  get imageSize(): number {
    return this.config.imageSize;
  }

  /**
   * pixels [batch, 3, height, width] → [batch, width, outputGrid, outputGrid]
   *
   * @param options.layer which hidden state. Default: the final norm of the last one
   * @throws ConfigError if there is no such layer
   * @throws ShapeError if the pixels have other axes, or patches of another size than the encoder takes
   */
  featureMap(pixels: Tensor, { layer }: FeatureOptions = {}): Tensor {
    return this.mapOf(this.vision_tower.features(this.patches(pixels), { layer, attentionMask: null }), pixels);
  }

  /** {@link featureMap} as tokens, [batch, outputGrid², width]. */
  features(pixels: Tensor, options: FeatureOptions = {}): Tensor {
    return mapToTokens(this.featureMap(pixels, options));
  }

  /** All hidden states on the grid of patches, and {@link features}, which are on that of the output. */
  levels(pixels: Tensor): FeatureLevel[] {
    const { hiddenStates, lastHiddenState } = this.vision_tower.forward(this.patches(pixels), { attentionMask: null });
    const [height, width] = pixels.shape.slice(2) as [number, number];
    const grid = this.vision_tower.featureGrid(height, width);
    return [
      ...hiddenStates.map((features) => ({ features, grid })),
      { features: mapToTokens(this.mapOf(lastHiddenState, pixels)), grid: this.featureGrid(height, width) },
    ];
  }

  /** pixels [batch, 3, height, width] → patches as Pix2Struct takes them, [batch, tokens, 2 + patch] */
  private patches(pixels: Tensor): Tensor {
    const { mean, std, vision } = this.config;
    const [, channels, height = 0, width = 0] = pixels.shape;
    const isImages = pixels.shape.length === 4 && channels === 3 && Math.min(height, width) > 0;
    if (!isImages || vision.patchSize ** 2 * 3 !== vision.patchEmbedHiddenSize) {
      throw new ShapeError({
        operation: 'EaglePix2StructTower',
        expected: `pixels [batch, 3, height, width] and patches of ${vision.patchEmbedHiddenSize} numbers`,
        received: `pixels [${pixels.shape.join(', ')}] and patches of ${vision.patchSize} × ${vision.patchSize} × 3`,
        remedy: isImages ? 'Correct patchSize or patchEmbedHiddenSize of the encoder.' : undefined,
      });
    }
    const column = (values: readonly number[]) => tensor(Float32Array.from(values), [3, 1, 1]);
    const bytes = mul(add(mul(pixels, column(std)), column(mean)), 255);
    return patchesOfPixels(bytes, vision);
  }

  /** Tokens of the patches of images → [batch, width, outputGrid, outputGrid] */
  private mapOf(tokens: Tensor, pixels: Tensor): Tensor {
    const [batch, , height, width] = pixels.shape as [number, number, number, number];
    const { outputGrid } = this.config;
    const map = reshape(transpose(tokens), [batch, this.width, ...this.vision_tower.featureGrid(height, width)]);
    return outputGrid === null ? map : interpolate(map, { size: outputGrid, mode: 'bilinear', alignCorners: true });
  }

  featureGrid(height: number = this.config.imageSize, width: number = height): [rows: number, columns: number] {
    const { outputGrid } = this.config;
    return outputGrid === null ? this.vision_tower.featureGrid(height, width) : [outputGrid, outputGrid];
  }
}
