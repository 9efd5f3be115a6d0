import { ConfigError, type StateEntry, type Tensor } from '@ocelli/core-tensor';
import { resizePositions } from '../vit/positions.js';
import { ClipVisionTower } from './clip-vision-tower.js';
import { halfPrecisionPositions } from './half-positions.js';

const positionKey = 'vision_model.embeddings.position_embedding.weight';

/** How positions between the learned ones are found. */
export interface ClipPositionOptions {
  /** Widen the kernel when shrinking, and a = −0.5 (Eagle). Default: false, which is a = −0.75. */
  readonly antialias?: boolean;
}

/**
 * A position table for another grid of patches, by sizes; the class position stays. Without options this is what
 * ManagerTower does (`adapt_position_encoding`).
 * positions [1 + g², width] → [1 + rows · columns, width].
 *
 * @param grid rows and columns, or one number for both
 * @throws ShapeError if the table is not that of a square grid
 */
export function resizeClipPositions(
  positions: Tensor,
  grid: number | readonly [rows: number, columns: number],
  { antialias = false }: ClipPositionOptions = {},
): Tensor {
  return resizePositions(positions, { prefix: 1, size: grid, antialias });
}

/**
 * Enlarges a position table as Honeybee does (`utils/interpolate_clip_resolution.py`): bicubic by a scale *factor*, so
 * that the sampling step is exactly 1 / factor; the class position stays. {@link resizeClipPositions} goes by sizes,
 * which samples at other places wherever the factor is not the ratio of the two grids.
 * positions [1 + g², width] → [1 + ⌊g · factor⌋², width].
 *
 * @throws ShapeError if the table is not that of a square grid
 * @throws ConfigError if the factor is below 1
 */
export function interpolateClipPositions(positions: Tensor, scaleFactor: number): Tensor {
  if (!(scaleFactor >= 1) || !Number.isFinite(scaleFactor)) {
    throw new ConfigError({
      operation: 'interpolateClipPositions',
      expected: 'a scale factor of at least 1',
      received: String(scaleFactor),
    });
  }
  return resizePositions(positions, { prefix: 1, scaleFactor });
}

/** Options of {@link resizeClipVision}. */
export interface ResizeClipVisionOptions extends ClipPositionOptions {
  /** Round the resized positions to half precision, as MoAI does; see {@link halfPrecisionPositions}. Default: false. */
  readonly halfPrecision?: boolean;
}

/**
 * A tower for images of another size with the same weights; only the position table differs (see
 * {@link resizeClipPositions}).
 *
 * @param imageSize side of the images in pixels
 * @throws ConfigError if it is smaller than a patch, or both options are set
 */
export async function resizeClipVision(
  tower: ClipVisionTower,
  imageSize: number,
  { antialias = false, halfPrecision = false }: ResizeClipVisionOptions = {},
): Promise<ClipVisionTower> {
  if (antialias && halfPrecision) {
    throw new ConfigError({
      operation: 'resizeClipVision',
      expected: 'antialias or halfPrecision',
      received: 'both',
      remedy: 'Use antialias for Eagle, halfPrecision for MoAI.',
    });
  }
  const resized = new ClipVisionTower({ ...tower.config, imageSize });
  const positions = tower.vision_model.embeddings.position_embedding.weight;
  const [grid] = resized.featureGrid();
  if (halfPrecision) {
    const table = { shape: positions.shape, data: (await positions.data()) as Float32Array };
    await copyWeights(tower, resized, halfPrecisionPositions(table, grid));
  } else {
    const table = resizeClipPositions(positions, grid, { antialias });
    await copyWeights(tower, resized, { shape: table.shape, data: await table.data() });
  }
  return resized;
}

/**
 * A tower for larger images with the same weights; only the position table differs (see {@link interpolateClipPositions}).
 *
 * @param imageSize side of the images in pixels, at least that of the tower
 * @throws ConfigError if it is smaller
 */
export async function interpolateClipResolution(tower: ClipVisionTower, imageSize: number): Promise<ClipVisionTower> {
  const { imageSize: before } = tower.config;
  if (imageSize < before) {
    throw new ConfigError({
      operation: 'interpolateClipResolution',
      expected: `an image size of at least ${before}`,
      received: String(imageSize),
      remedy: 'Load a tower for smaller images, or use resizeClipVision.',
    });
  }
  const enlarged = new ClipVisionTower({ ...tower.config, imageSize });
  const positions = tower.vision_model.embeddings.position_embedding.weight;
  const table = interpolateClipPositions(positions, imageSize / before);
  await copyWeights(tower, enlarged, { shape: table.shape, data: await table.data() });
  return enlarged;
}

async function copyWeights(from: ClipVisionTower, to: ClipVisionTower, positions: StateEntry): Promise<void> {
  to.loadState({ ...(await from.state()), [positionKey]: positions });
}
