import type { ImageGrid } from '../grids/image-grid.js';
import type { PixelValues } from '../image/preprocess.js';
import type { ImageSize } from '../image/rgb-image.js';
import type { Batch } from './batch.js';
import { bucketLength, type LengthBuckets } from './buckets.js';
import { checkSample } from './check-sample.js';
import { CollationError } from './collation-error.js';
import { IGNORE_LABEL, VISUAL_TOKEN } from './tokenize-segments.js';
import { type CollateSample, planVisualTokens, tilesOf } from './visual-tokens.js';

export interface CollateOptions {
  /** Positions that an image takes: what the projector makes of it. With a grid, what it makes of a tile. */
  readonly visualTokensPerImage: number;
  /** How images were cut into tiles; the visual tokens of a tile are then a square number. Default: they were not. */
  readonly grid?: ImageGrid | undefined;
  /** Fills padding and the places of images. */
  readonly padTokenId: number;
  /** What lengths are padded to. Every length that occurs is a program to compile: keep them few. */
  readonly buckets: LengthBuckets;
  /**
   * - `training` (default): every sample must have something to train; padding on the right
   * - `generation`: nothing has to be trained; padding on the left, so that all rows go on at the same position
   */
  readonly purpose?: 'training' | 'generation';
  /** Overrides the side that `purpose` implies. */
  readonly padding?: 'right' | 'left';
  /**
   * Fill `pixelValues` with blank images (or tiles) up to this many, so that batches with fewer images, or none, run the same
   * program. Default: as many as there are.
   */
  readonly imagesPerBatch?: number;
  /** Size of the blank images of a batch that has no other. */
  readonly imageSize?: ImageSize;
}

/** A {@link Batch} whose pixels are still to be copied: `pixels` says what goes where. */
export interface CollatedTokens {
  readonly batch: Omit<Batch, 'pixelValues'>;
  readonly pixels: readonly PixelValues[];
}

/**
 * Makes a batch of tokenized samples: pads them to a common length, and plans where the visual tokens go.
 *
 * A batch of texts alone has zero images, unless `imagesPerBatch` asks for blank ones.
 *
 * @throws CollationError naming the sample, if its mask does not add up, it has nothing to train, no bucket is long
 * enough, its images are of another size, or take other positions than the grid says
 */
export function collate(samples: readonly CollateSample[], options: CollateOptions): Batch {
  const { batch, pixels } = collateTokens(samples, options);
  const { images, height, width } = batch.shape;
  const pixelValues = new Float32Array(images * 3 * height * width);
  let start = 0;
  for (const { data } of pixels) {
    pixelValues.set(data, start);
    start += data.length;
  }
  return { ...batch, pixelValues };
}

/** {@link collate} without copying pixels, which the loader does image by image to keep the event loop free. */
export function collateTokens(samples: readonly CollateSample[], options: CollateOptions): CollatedTokens {
  const { visualTokensPerImage, padTokenId, buckets, purpose = 'training' } = options;
  checkOptions(samples, options);
  for (const sample of samples) checkSample(sample, visualTokensPerImage, purpose === 'training');
  const longest = samples.reduce((a, b) => (b.inputIds.length > a.inputIds.length ? b : a));
  const length = bucketLength(longest.inputIds.length, buckets, longest.sampleId);
  const padLeft = (options.padding ?? (purpose === 'training' ? 'right' : 'left')) === 'left';
  const pixels = collectPixels(samples, options);
  const visual = planVisualTokens(samples, options, options.imagesPerBatch);

  const batch = samples.length;
  const cells = batch * length;
  const lengths = Int32Array.from(samples, (sample) => sample.inputIds.length);
  const inputIds = new Int32Array(cells).fill(padTokenId);
  const labels = new Int32Array(cells).fill(IGNORE_LABEL);
  const attentionMask = new Int32Array(cells);
  const positions = new Int32Array(cells);
  const plan = Int32Array.from({ length: cells }, (_, cell) => cell);

  let image = 0;
  let visualRow = cells;
  for (const [row, sample] of samples.entries()) {
    const start = row * length + (padLeft ? length - sample.inputIds.length : 0);
    for (let position = 0; position < sample.inputIds.length; position++) {
      const id = sample.inputIds[position]!;
      if (id !== VISUAL_TOKEN) inputIds[start + position] = id;
      positions[start + position] = position;
    }
    labels.set(sample.labels, start);
    attentionMask.fill(1, start, start + sample.inputIds.length);
    for (const { start: imageStart } of sample.images) {
      const tokens = visual.lengths[image++]!;
      for (let token = 0; token < tokens; token++) plan[start + imageStart + token] = visualRow++;
    }
  }

  const images = visual.towerInputs;
  const { height, width } = images === 0 ? { height: 0, width: 0 } : (pixels[0] ?? options.imageSize!);
  return {
    batch: {
      shape: { batch, length, images, height, width, visualTokensPerImage },
      sampleIds: samples.map((sample) => sample.sampleId),
      lengths,
      inputIds,
      labels,
      attentionMask,
      positions,
      plan,
      ...(visual.grid === undefined ? {} : { grid: visual.grid }),
    },
    pixels,
  };
}

function checkOptions(samples: readonly CollateSample[], options: CollateOptions): void {
  const { visualTokensPerImage, padTokenId, grid, imagesPerBatch, imageSize } = options;
  const fail = (expected: string, received: unknown, remedy: string): never => {
    throw new CollationError({ operation: 'collate', expected, received: String(received), remedy, value: received });
  };
  if (samples.length === 0) fail('at least one sample', 'none', 'skip empty batches');
  if (!Number.isInteger(visualTokensPerImage) || visualTokensPerImage < 1) {
    fail('visualTokensPerImage to be a positive integer', visualTokensPerImage, 'take it from the projector');
  }
  if (grid !== undefined && !Number.isInteger(Math.sqrt(visualTokensPerImage))) {
    fail('visualTokensPerImage to be a square number, as there is a grid', visualTokensPerImage, 'leave the grid out');
  }
  if (!Number.isInteger(padTokenId) || padTokenId < 0) {
    fail('padTokenId to be a token id', padTokenId, 'where a tokenizer has no pad token, its unknown token serves');
  }
  if (imagesPerBatch === undefined) return;
  if (!Number.isInteger(imagesPerBatch) || imagesPerBatch < 0) {
    fail('imagesPerBatch to be a non-negative integer', imagesPerBatch, 'use batch size times images per sample');
  }
  const images = samples.flatMap(({ pixels }) => pixels).reduce((sum, pixels) => sum + tilesOf(pixels), 0);
  if (images > imagesPerBatch) {
    fail(`at most ${imagesPerBatch} images in a batch`, images, 'raise imagesPerBatch');
  }
  if (images === 0 && imagesPerBatch > 0 && imageSize === undefined) {
    fail('imageSize, as this batch has only blank images', 'none', 'pass the size that the image processor produces');
  }
}

/** The pixels of all images, in the order in which the plan counts them. */
function collectPixels(samples: readonly CollateSample[], options: CollateOptions): PixelValues[] {
  const pixels: PixelValues[] = [];
  const size: ImageSize | undefined =
    options.imageSize ?? samples.find((sample) => sample.pixels.length > 0)?.pixels[0];
  for (const { sampleId, images, pixels: own } of samples) {
    const fail = (expected: string, received: string, remedy: string): never => {
      throw new CollationError({ operation: `collate (${sampleId})`, expected, received, remedy, sampleId });
    };
    if (own.length !== images.length) {
      fail(
        `pixels of ${images.length} images`,
        String(own.length),
        'pass one entry per image that is left after truncation',
      );
    }
    for (const image of own) {
      if (image.height !== size!.height || image.width !== size!.width) {
        fail(
          `images of ${size!.height} × ${size!.width} pixels`,
          `${image.height} × ${image.width}`,
          'use an image processor with a fixed size (a crop, or a width and a height)',
        );
      }
      const values = tilesOf(image) * 3 * image.height * image.width;
      if (image.data.length !== values) {
        fail(`${values} values an image`, String(image.data.length), 'pass [3, height, width] of every tile');
      }
      pixels.push(image);
    }
  }
  return pixels;
}
