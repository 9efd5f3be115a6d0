import { reshape, ShapeError, type Tensor, transpose } from '@ocelli/core-tensor';

/** What a tower is made for. */
export interface PatchGeometry {
  readonly numChannels: number;
  /** Side of the square images in pixels. */
  readonly imageSize: number;
  /** Side of a patch in pixels. */
  readonly patchSize: number;
}

/**
 * Refuses what is no batch of images of at least one patch, or of another size than the tower's.
 *
 * @param anySize whether other sizes than the tower's are fine
 * @throws ShapeError
 */
export function requirePixels(operation: string, pixels: Tensor, geometry: PatchGeometry, anySize: boolean): void {
  const { numChannels, imageSize, patchSize } = geometry;
  const [, channels, height = 0, width = 0] = pixels.shape;
  if (pixels.shape.length !== 4 || channels !== numChannels || Math.min(height, width) < patchSize) {
    throw new ShapeError({
      operation,
      expected: `pixels [batch, ${numChannels}, height, width] of at least ${patchSize} × ${patchSize}`,
      received: [pixels.shape],
    });
  }
  if (!anySize && (height !== imageSize || width !== imageSize)) {
    throw new ShapeError({
      operation,
      expected: `pixels [batch, ${numChannels}, ${imageSize}, ${imageSize}]`,
      received: [pixels.shape],
      remedy: 'Resize the images, or set interpolatePositions.',
    });
  }
}

/** Rows and columns of whole patches in an image; pixels beyond them are not seen. */
export function patchGrid(height: number, width: number, patchSize: number): [rows: number, columns: number] {
  return [Math.floor(height / patchSize), Math.floor(width / patchSize)];
}

/** Cells of a map as tokens, row by row: [batch, width, rows, columns] → [batch, rows · columns, width]. */
export function mapToTokens(map: Tensor): Tensor {
  const [batch, width, rows, columns] = map.shape as [number, number, number, number];
  return transpose(reshape(map, [batch, width, rows * columns])); // [batch, rows · columns, width]
}
