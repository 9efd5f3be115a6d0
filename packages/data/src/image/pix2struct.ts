import { z } from 'zod';
import { ImageError } from './image-error.js';
import type { PixelValues } from './preprocess.js';
import { KERNELS } from './resample-filter.js';
import { resizePlane } from './resize-plane.js';
import { assertRgbImage, type ImageSize, type RgbImage } from './rgb-image.js';

const count = z.number().int().min(1).max(65_536);

/** What {@link pix2structProcessor} accepts. */
export const pix2structProcessorSchema = z.strictObject({
  /** Of a patch, in pixels. */
  patchSize: z.strictObject({ height: count, width: count }).default({ height: 16, width: 16 }),
  /** Patches an image is cut into at most; the sequence is filled up to this length. */
  maxPatches: count.default(2048),
});

/** How an image becomes patches. Plain data, JSON-serialisable. */
export type Pix2StructProcessor = Readonly<z.output<typeof pix2structProcessorSchema>>;

/** A {@link Pix2StructProcessor} with its defaults left out. */
export type Pix2StructProcessorConfig = z.input<typeof pix2structProcessorSchema>;

/** An image as a sequence of patches. */
export interface FlattenedPatches {
  /**
   * [maxPatches, 2 + patch height · patch width · channels]: row and column from 1, then the pixels of the patch row by
   * row, channels innermost; zeros where there is no patch.
   */
  readonly data: Float32Array;
  /** [maxPatches]: 1 where there is a patch, 0 where there is none. */
  readonly attentionMask: Float32Array;
  /** Of `data`. */
  readonly shape: readonly [patches: number, numbers: number];
  /** The grid of patches, row by row in front of the padding. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * Validates a processor and fills in its defaults: patches of 16 × 16, at most 2048.
 *
 * @throws ImageError naming the field that is missing, unknown or out of range
 */
export function pix2structProcessor(config: Pix2StructProcessorConfig = {}): Pix2StructProcessor {
  const parsed = pix2structProcessorSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ImageError({
    operation: 'pix2structProcessor',
    source: issue.path.length > 0 ? issue.path.join('.') : 'config',
    expected: 'a valid configuration of patches',
    received: issue.message,
    remedy: 'correct this field',
  });
}

/**
 * Rows and columns of patches that an image of this size is resized to: as many as fit while the aspect ratio is nearly
 * kept, at least one of each.
 */
export function patchGrid(size: ImageSize, { patchSize, maxPatches }: Pix2StructProcessor): [number, number] {
  const scale = Math.sqrt(maxPatches * (patchSize.height / size.height) * (patchSize.width / size.width));
  const feasible = (length: number, patch: number) =>
    Math.max(Math.min(Math.floor((scale * length) / patch), maxPatches), 1);
  return [feasible(size.height, patchSize.height), feasible(size.width, patchSize.width)];
}

/**
 * Cuts an image into patches as `Pix2StructImageProcessor` of Hugging Face transformers does it (Lee et al. 2023): it is
 * standardised over all of its values, resized to whole patches (bilinear with antialiasing, on floats), and cut.
 *
 * @param image bytes [height, width, 3], or floats [channels, height, width]
 * @throws ImageError if the image's sides and data do not agree
 */
export function flattenPatches(
  image: RgbImage | PixelValues,
  processor: Pix2StructProcessor = pix2structProcessor(),
): FlattenedPatches {
  const channels = channelsOf(image);
  const { patchSize, maxPatches } = processor;
  const [rows, columns] = patchGrid(image, processor);
  const numbers = patchSize.height * patchSize.width * channels + 2;
  const data = new Float32Array(maxPatches * numbers);
  const target = { width: columns * patchSize.width, height: rows * patchSize.height };
  const standard = standardOf(image.data);
  for (let channel = 0; channel < channels; channel++) {
    const plane = resizePlane(standardisedPlane(image, channel, standard), image, target, KERNELS.bilinear);
    for (let y = 0; y < target.height; y++) {
      for (let x = 0; x < target.width; x++) {
        const patch = Math.floor(y / patchSize.height) * columns + Math.floor(x / patchSize.width);
        const place = (y % patchSize.height) * patchSize.width + (x % patchSize.width);
        data[patch * numbers + 2 + place * channels + channel] = plane[y * target.width + x]!;
      }
    }
  }
  for (let patch = 0; patch < rows * columns; patch++) {
    data[patch * numbers] = Math.floor(patch / columns) + 1;
    data[patch * numbers + 1] = (patch % columns) + 1;
  }
  return {
    data,
    attentionMask: new Float32Array(maxPatches).fill(1, 0, rows * columns),
    shape: [maxPatches, numbers],
    rows,
    columns,
  };
}

function channelsOf(image: RgbImage | PixelValues): number {
  if (image.data instanceof Uint8Array) {
    assertRgbImage(image as RgbImage, 'flattenPatches');
    return 3;
  }
  const channels = image.data.length / (image.width * image.height);
  if (Number.isInteger(channels) && channels >= 1) return channels;
  throw new ImageError({
    operation: 'flattenPatches',
    source: `${image.width}x${image.height} image`,
    expected: 'a whole number of channels [channels, height, width]',
    received: `${image.data.length} values`,
    remedy: 'give the width and height of the data',
  });
}

/** Mean of all values and their deviation, which counts as at least 1 / √(values). */
function standardOf(values: Uint8Array | Float32Array): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.max(Math.sqrt(squares / values.length), 1 / Math.sqrt(values.length));
  return { mean: Math.fround(mean), deviation: Math.fround(deviation) };
}

/** One channel, [height, width]. */
function standardisedPlane(
  { data, width, height }: RgbImage | PixelValues,
  channel: number,
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
): Float32Array {
  const pixels = width * height;
  // Bytes are interleaved, floats are in planes.
  const [start, step] = data instanceof Uint8Array ? [channel, 3] : [channel * pixels, 1];
  const plane = new Float32Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    plane[pixel] = Math.fround(data[start + pixel * step]! - mean) / deviation;
  }
  return plane;
}

const fileSchema = z.looseObject({
  image_processor_type: z.literal('Pix2StructImageProcessor').optional(),
  do_normalize: z.literal(true).optional(),
  is_vqa: z.literal(false).optional(),
  patch_size: z.looseObject({ height: z.number(), width: z.number() }).optional(),
  max_patches: z.number().optional(),
});

/**
 * Reads the parsed content of a `preprocessor_config.json` of Pix2Struct type. Of models that have the question rendered
 * above the image (`is_vqa`), read it with `is_vqa` overridden and give images that show the question; Eagle renders none.
 *
 * @param overrides of keys of the file
 * @throws ImageError if a key that matters has a wrong type, or asks for what {@link flattenPatches} does not do
 */
export function pix2structProcessorFromHuggingFace(
  json: unknown,
  { name = 'preprocessor_config.json', overrides = {} }: { name?: string; overrides?: { is_vqa?: false } } = {},
): Pix2StructProcessor {
  const isObject = typeof json === 'object' && json !== null;
  const parsed = fileSchema.safeParse(isObject ? { ...json, ...overrides } : json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ImageError({
      operation: 'pix2structProcessorFromHuggingFace',
      source: `${name}: ${issue.path.join('.') || 'content'}`,
      expected: 'a Pix2Struct image processor that standardises images and renders no question',
      received: issue.message,
      remedy: 'correct or override this key',
    });
  }
  const { patch_size, max_patches } = parsed.data;
  return pix2structProcessor({
    patchSize: patch_size && { height: patch_size.height, width: patch_size.width },
    maxPatches: max_patches,
  });
}
