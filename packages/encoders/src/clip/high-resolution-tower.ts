import { Module, parseConfig, type Tensor } from '@ocelli/core-tensor';
import { z } from 'zod';
import type { FeatureLevel, FeatureOptions, VisionEncoder } from '../vision-encoder.js';
import { ClipVisionTower } from './clip-vision-tower.js';
import { type ClipVisionConfig, type ClipVisionConfigInput, parseClipVisionConfig } from './config.js';

const schema = z.strictObject({
  type: z.literal('clip-high-resolution').default('clip-high-resolution'),
  /** The tower checks its own configuration. */
  vision: z.looseObject({}).default({}),
  inputSize: z.int().positive().optional(),
});

/** Structure of a {@link HighResolutionClipTower}; plain data. */
export interface HighResolutionClipConfig {
  readonly type: 'clip-high-resolution';
  /** The tower as it was published. */
  readonly vision: ClipVisionConfig;
  /** Side of the images in pixels that it is meant for; it takes any. Eagle's paper has 448, its code computes 336. */
  readonly inputSize: number;
}

/** A {@link HighResolutionClipConfig} whose fields may be left out; `inputSize` is the tower's own size then. */
export interface HighResolutionClipConfigInput {
  readonly type?: 'clip-high-resolution' | undefined;
  readonly vision?: ClipVisionConfigInput | undefined;
  readonly inputSize?: number | undefined;
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function parseHighResolutionClipConfig(config: HighResolutionClipConfigInput): HighResolutionClipConfig {
  const { type, vision, inputSize } = parseConfig('parseHighResolutionClipConfig', schema, config);
  const parsed = parseClipVisionConfig(vision as ClipVisionConfigInput);
  return { type, vision: parsed, inputSize: inputSize ?? parsed.imageSize };
}

const patchesAlone = { classToken: 'absent', interpolatePositions: 'antialias' } as const;

/**
 * CLIP for larger images, as Eagle and LLaVA-HR use it (Shi et al. 2024; `hr_clip_encoder.py`): positions are resized
 * bicubically with antialiasing, the class token is left out before the first norm, and the features are the output of
 * the last block. The class token, its position and the final norm are in the checkpoint and get no gradient.
 */
export class HighResolutionClipTower extends Module implements VisionEncoder {
  readonly config: HighResolutionClipConfig;
  readonly vision_tower: ClipVisionTower;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: HighResolutionClipConfigInput = {}) {
    super();
    this.config = parseHighResolutionClipConfig(config);
    this.vision_tower = new ClipVisionTower(this.config.vision);
  }

  get width(): number {
    return this.vision_tower.width;
  }

  get imageSize(): number {
    return this.config.inputSize;
  }

  /**
   * pixels [batch, channels, height, width] → [batch, patches, width]
   *
   * @param options.layer which hidden state. Default: −1, the output of the last block
   * @throws ConfigError if there is no such layer
   * @throws ShapeError if the images are smaller than a patch
   */
  features(pixels: Tensor, { layer = -1 }: FeatureOptions = {}): Tensor {
    return this.vision_tower.features(pixels, { layer, ...patchesAlone });
  }

  /** All hidden states. */
  levels(pixels: Tensor): FeatureLevel[] {
    return this.vision_tower.levels(pixels, patchesAlone);
  }

  /** Rows and columns of patches in an image of this size in pixels. Default: `inputSize`. */
  featureGrid(height: number = this.config.inputSize, width: number = height): [rows: number, columns: number] {
    return this.vision_tower.featureGrid(height, width);
  }
}
