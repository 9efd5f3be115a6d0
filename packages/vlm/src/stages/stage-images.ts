import {
  clipImageProcessor,
  type ImageGrid,
  type ImageProcessor,
  imageGrid,
  imageProcessor,
  PUBLISHED_GRIDS,
  siglipImageProcessor,
  squashImageProcessor,
} from '@ocelli/data';
import type { StageImages } from './training-stage.js';

/** How the images of a stage become pixels. */
export interface StageImageSettings {
  readonly imageProcessor: ImageProcessor;
  /** How they are cut into tiles before; null for not at all. */
  readonly grid: ImageGrid | null;
}

/**
 * What a loader of `@ocelli/data` needs to treat images as a stage does. `pad`: a square of the longer side in CLIP's mean
 * colour, truncated to bytes, around the image, before anything else. `crop`: what a square leaves of a resized image is
 * lost. Grids have the published canvases, in tiles of the given side.
 *
 * @param side in pixels of the images that the encoder takes
 * @param options.statistics that squeezed images and tiles are normalised by; padded and cut ones have CLIP's. Default:
 *   `clip`
 */
export function stageImages(
  images: StageImages,
  side: number,
  { statistics = 'clip' }: { readonly statistics?: 'clip' | 'siglip' } = {},
): StageImageSettings {
  const squash = statistics === 'clip' ? squashImageProcessor(side) : siglipImageProcessor(side);
  switch (images) {
    case 'pad':
      return { imageProcessor: imageProcessor({ ...clipImageProcessor(side), padToSquare: true }), grid: null };
    case 'crop':
      return { imageProcessor: clipImageProcessor(side), grid: null };
    case 'squash':
      return { imageProcessor: squash, grid: null };
    case 'anyres':
    case 'anyres_max_9':
      return { imageProcessor: squash, grid: publishedGrid(images, side) };
  }
}

/** A published grid for tiles of another size: the same canvases, counted in tiles. */
export function publishedGrid(name: keyof typeof PUBLISHED_GRIDS, side: number): ImageGrid {
  const { tile, candidates, ...rest } = PUBLISHED_GRIDS[name];
  const scaled = (length: number) => (length / tile) * side;
  const canvases = candidates.map(({ width, height }) => ({ width: scaled(width), height: scaled(height) }));
  return imageGrid({ ...rest, tile: side, candidates: canvases });
}
