import { ConfigError, interpolate, type Tensor } from '@ocelli/core-tensor';
import { ConvNextTower, createEncoder, type EncoderConfigInput, type VisionEncoder } from '@ocelli/encoders';
import { featurePyramid, type Grid, tokensToMap } from '@ocelli/projectors';

/** An encoder of a mixture. */
export interface ExpertConfig {
  /** Structure of the encoder. Images are resized to the size that it is made for. */
  readonly encoder: EncoderConfigInput;
  /**
   * All stages of a ConvNeXt as one map of the first one's size, as Mini-Gemini has it, instead of the last stage.
   * Default: false.
   */
  readonly pyramid?: boolean | undefined;
}

/** An encoder that makes maps of images of any size. */
export interface Expert {
  readonly encoder: VisionEncoder;
  /** Width of its maps. */
  readonly width: number;
  /** Rows and columns of its maps. */
  readonly grid: Grid;
  /** pixels [batch, 3, height, width] → [batch, width, rows, columns] */
  map(pixels: Tensor): Tensor;
}

/** @throws ConfigError if the encoder's configuration is invalid, or has no pyramid although one is asked for */
export function createExpert({ encoder: config, pyramid = false }: ExpertConfig): Expert {
  const encoder = createEncoder(config) as VisionEncoder;
  const size = sideOf(encoder);
  if (!pyramid) {
    const grid = encoder.featureGrid(size, size);
    const map = (pixels: Tensor) => tokensToMap(encoder.features(resizePixels(pixels, size)), grid);
    return { encoder, width: encoder.width, grid, map };
  }
  if (!(encoder instanceof ConvNextTower)) {
    throw new ConfigError({
      operation: 'createExpert',
      expected: 'a convnext encoder, where pyramid is set',
      received: encoder.config.type,
      remedy: 'Leave pyramid out.',
    });
  }
  return {
    encoder,
    width: encoder.config.hiddenSizes.reduce((sum, width) => sum + width, 0),
    grid: encoder.featureGrid(size, size, { layer: 1 }),
    map(pixels) {
      const [first, ...others] = encoder.forward(resizePixels(pixels, size)).stages;
      return featurePyramid([first!, ...others]);
    },
  };
}

/** Side in pixels of the images that an encoder is meant for. */
function sideOf({ config, imageSize }: VisionEncoder): number {
  if (imageSize !== undefined) return imageSize;
  throw new ConfigError({
    operation: 'createExpert',
    expected: 'an encoder of images',
    received: config.type,
  });
}

/**
 * Normalised images at another size: bilinear, corners keeping their places, as Eagle and LLaVA-HR do it instead of
 * reading the picture again. pixels [batch, 3, height, width] → [batch, 3, side, side]
 */
export function resizePixels(pixels: Tensor, side: number): Tensor {
  const [, , height, width] = pixels.shape;
  if (height === side && width === side) return pixels;
  return interpolate(pixels, { size: side, mode: 'bilinear', alignCorners: true });
}
