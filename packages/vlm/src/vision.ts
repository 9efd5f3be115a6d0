import { ConfigError, type Tensor, zeros } from '@ocelli/core-tensor';
import {
  type ClipVisionConfigInput,
  createEncoder,
  type EncoderConfig,
  type EncoderConfigInput,
  type VisionEncoder,
} from '@ocelli/encoders';
import type { Grid } from '@ocelli/projectors';
import type { LlavaHrTowerConfig, LlavaHrTowerConfigInput } from './llava-hr/config.js';
import { LlavaHrTower } from './llava-hr/llava-hr-tower.js';
import type { EncoderMixtureConfig, EncoderMixtureConfigInput } from './mixture/config.js';
import { EncoderMixture } from './mixture/encoder-mixture.js';

/** Structure of what a model sees with: any encoder, by its `type`; a CLIP tower where there is none. */
export type VisionConfigInput =
  | EncoderConfigInput
  | ClipVisionConfigInput
  | (EncoderMixtureConfigInput & { readonly type: 'mixture' })
  | (LlavaHrTowerConfigInput & { readonly type: 'llava-hr' });

/** A {@link VisionConfigInput} with its defaults filled in. */
export type VisionConfig = EncoderConfig | EncoderMixtureConfig | LlavaHrTowerConfig;

/**
 * The encoder that a configuration describes, with fresh weights.
 *
 * @param usualType of a configuration without `type`
 * @throws ConfigError if `type` is unknown or a field is missing, unknown or invalid
 */
export function createVision(config: VisionConfigInput, usualType: 'clip' | 'siglip' = 'clip'): VisionEncoder {
  if (config.type === 'mixture') return new EncoderMixture(config);
  if (config.type === 'llava-hr') return new LlavaHrTower(config);
  return createEncoder({ ...config, type: config.type ?? usualType } as EncoderConfigInput);
}

/** What an encoder makes of one image of its size. */
export interface FeatureShape {
  readonly tokens: number;
  readonly width: number;
  readonly grid: Grid;
}

/**
 * Number, width and grid of the features of an image; they are recorded, not computed.
 *
 * @param layer which hidden state. Default: the encoder's
 * @throws ConfigError if the encoder does not take images, or has no such layer
 * @throws ShapeError if it does not take images of three channels
 */
export function featureShape(vision: VisionEncoder, layer?: number): FeatureShape {
  const { imageSize } = vision;
  if (imageSize === undefined) {
    throw new ConfigError({
      operation: 'featureShape',
      expected: 'an encoder that takes images',
      received: vision.config.type,
      remedy: 'Take the encoder that cuts the images itself, such as eagle-pix2struct for pix2struct.',
    });
  }
  const [, tokens, width] = featuresOf(vision, zeros([1, 3, imageSize, imageSize]), layer).shape as number[];
  const grid = vision.featureGrid(imageSize, imageSize, layer === undefined ? {} : { layer });
  return { tokens: tokens!, width: width!, grid };
}

/** Features of pixels [images, 3, height, width], of a layer or of the encoder's choice: [images, tokens, width]. */
export function featuresOf(vision: VisionEncoder, pixels: Tensor, layer: number | undefined): Tensor {
  return vision.features(pixels, layer === undefined ? {} : { layer });
}
