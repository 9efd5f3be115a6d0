import {
  ConfigError,
  concat,
  interpolate,
  reshape,
  ShapeError,
  sliceAxis,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import { ClipVisionTower } from './clip-vision-tower.js';

const positionKey = 'vision_model.embeddings.position_embedding.weight';

/**
 * Enlarges a position table as Honeybee does (`utils/interpolate_clip_resolution.py`): bicubic by a scale *factor*, so
 * that the sampling step is exactly 1 / factor; the class position stays. The tower's own `interpolatePositions` goes
 * by sizes, which samples at other places wherever the factor is not the ratio of the two grids.
 * positions [1 + g², width] → [1 + ⌊g · factor⌋², width].
 *
 * @throws ShapeError if the table is not that of a square grid
 * @throws ConfigError if the factor is below 1
 */
export function interpolateClipPositions(positions: Tensor, scaleFactor: number): Tensor {
  const operation = 'interpolateClipPositions';
  const [count = 0, width = 0] = positions.shape;
  const grid = Math.round(Math.sqrt(count - 1));
  if (positions.shape.length !== 2 || grid < 1 || grid ** 2 !== count - 1) {
    throw new ShapeError({ operation, expected: 'positions [1 + grid², width]', received: [positions.shape] });
  }
  if (!(scaleFactor >= 1) || !Number.isFinite(scaleFactor)) {
    throw new ConfigError({ operation, expected: 'a scale factor of at least 1', received: String(scaleFactor) });
  }
  const map = reshape(transpose(sliceAxis(positions, 0, 1)), [1, width, grid, grid]);
  const resized = interpolate(map, { scaleFactor, mode: 'bicubic' }); // [1, width, g', g']
  const patches = transpose(reshape(resized, [width, -1])); // [g'², width]
  return concat([sliceAxis(positions, 0, 0, 1), patches], 0);
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
      remedy: 'Load a tower for smaller images.',
    });
  }
  const enlarged = new ClipVisionTower({ ...tower.config, imageSize });
  const positions = interpolateClipPositions(
    tower.vision_model.embeddings.position_embedding.weight,
    imageSize / before,
  );
  const state = await tower.state();
  enlarged.loadState({ ...state, [positionKey]: { shape: positions.shape, data: await positions.data() } });
  return enlarged;
}
