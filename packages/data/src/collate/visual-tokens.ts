import type { ImageGrid } from '../grids/image-grid.js';
import { imageTokens } from '../grids/image-tokens.js';
import { type GridTokenPlan, planGridTokens } from '../grids/plan-grid-tokens.js';
import type { PixelValues } from '../image/preprocess.js';
import type { TilePixels } from '../image/tiles.js';
import { CollationError } from './collation-error.js';
import type { TokenizedSample } from './tokenize-segments.js';

/** A tokenized sample with the pixels of its images, in the order of `images`. */
export interface CollateSample extends TokenizedSample {
  /** Each [3, height, width]; with a grid, what `preprocessTiles` or `preprocessWhole` gives. */
  readonly pixels: readonly (PixelValues | TilePixels)[];
}

/** The visual tokens of the images of a batch, which follow one another. */
export interface VisualTokens {
  /** [images] */
  readonly lengths: readonly number[];
  /** Inputs of the vision tower, blank ones included. */
  readonly towerInputs: number;
  readonly grid?: GridTokenPlan;
}

/**
 * Counts what the vision tower is given, and plans what becomes of it where images are cut into tiles.
 *
 * @throws CollationError naming the sample, if an image does not take as many positions as it has visual tokens
 */
export function planVisualTokens(
  samples: readonly CollateSample[],
  { visualTokensPerImage, grid }: { readonly visualTokensPerImage: number; readonly grid?: ImageGrid | undefined },
  imagesPerBatch = 0,
): VisualTokens {
  const images = samples.flatMap((sample) => sample.pixels.map((pixels, index) => ({ sample, pixels, index })));
  const inputs = images.reduce((total, { pixels }) => total + tilesOf(pixels), 0);
  const towerInputs = Math.max(inputs, imagesPerBatch);
  const layouts = images.map(({ sample, pixels }) =>
    grid === undefined
      ? { tokens: visualTokensPerImage }
      : imageTokens(tilePixels(sample, pixels), grid, visualTokensPerImage),
  );
  for (const [image, { sample, index }] of images.entries()) {
    const { tokens = visualTokensPerImage } = sample.images[index]!;
    if (tokens !== layouts[image]!.tokens) {
      fail(sample.sampleId, `${layouts[image]!.tokens} positions for image ${index}`, String(tokens));
    }
  }
  const lengths = layouts.map(({ tokens }) => tokens);
  if (grid === undefined) return { lengths, towerInputs };
  const plan = planGridTokens(layouts, {
    featuresPerSide: Math.sqrt(visualTokensPerImage),
    towerInputs,
    // Every number of tokens that occurs is a program to compile.
    paddedTokens: (tokens) =>
      towerInputs === 0 ? 0 : Math.max(1, Math.ceil(tokens / visualTokensPerImage)) * visualTokensPerImage,
  });
  return { lengths, towerInputs, grid: plan };
}

/** Inputs of the vision tower that an image has. */
export function tilesOf(pixels: PixelValues | TilePixels): number {
  return 'tiles' in pixels ? pixels.tiles : 1;
}

function tilePixels({ sampleId }: CollateSample, pixels: PixelValues | TilePixels): TilePixels {
  return 'tiles' in pixels ? pixels : fail(sampleId, 'pixels of tiles, with the size of the image', 'pixels alone');
}

function fail(sampleId: string, expected: string, received: string): never {
  throw new CollationError({
    operation: `collate (${sampleId})`,
    expected,
    received,
    remedy: 'tokenize with the visual tokens of each image, and preprocess with the same grid',
    sampleId,
  });
}
