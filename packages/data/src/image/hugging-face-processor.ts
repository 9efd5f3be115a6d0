import { z } from 'zod';
import { ImageError } from './image-error.js';
import {
  CLIP_MEAN,
  CLIP_STD,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type ImageProcessor,
  type ImageProcessorConfig,
  imageProcessor,
} from './image-processor.js';
import type { ResampleFilter } from './resample-filter.js';

/** Pillow's numbering of its filters. */
const FILTER_OF_NUMBER: readonly ResampleFilter[] = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

/** What a family assumes for keys its file leaves out. */
interface FamilyDefaults {
  readonly size: unknown;
  readonly resample: number;
  readonly crop: unknown;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Absent in families that do not pad. */
  readonly pad?: unknown;
}

const HALF = [0.5, 0.5, 0.5] as const;

const FAMILIES: Readonly<Record<string, FamilyDefaults>> = {
  CLIP: { size: { shortest_edge: 224 }, resample: 3, crop: 224, mean: CLIP_MEAN, std: CLIP_STD },
  Bit: { size: { shortest_edge: 224 }, resample: 3, crop: 224, mean: CLIP_MEAN, std: CLIP_STD },
  Siglip: { size: { height: 224, width: 224 }, resample: 3, crop: null, mean: HALF, std: HALF },
  ViT: { size: { height: 224, width: 224 }, resample: 2, crop: null, mean: HALF, std: HALF },
  Sam: {
    size: { longest_edge: 1024 },
    resample: 2,
    crop: null,
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    pad: { height: 1024, width: 1024 },
  },
};

const sides = z.looseObject({ height: z.number(), width: z.number() });
const channels = z.tuple([z.number(), z.number(), z.number()]);

/** The keys that decide pixels; a file's other keys are accepted and have no effect here. */
const fileSchema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().optional(),
  size: z
    .union([
      z.number(),
      z.looseObject({ shortest_edge: z.number() }),
      z.looseObject({ longest_edge: z.number() }),
      sides,
    ])
    .optional(),
  resample: z.number().int().min(0).max(5).optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: z.union([z.number(), sides]).optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: channels.optional(),
  image_std: channels.optional(),
  do_pad: z.boolean().nullable().optional(),
  pad_size: z.union([z.number(), sides]).optional(),
});

/** Options of {@link imageProcessorFromHuggingFace}. */
export interface HuggingFaceProcessorOptions {
  /** What error messages call the file. */
  readonly name?: string;
  /** Overrides that no `preprocessor_config.json` holds, such as `padToSquare`, or a different `resize`. */
  readonly overrides?: Partial<ImageProcessorConfig>;
}

/**
 * Reads the parsed content of a `preprocessor_config.json` of CLIP, SigLIP, ViT, BiT or SAM type. Keys without an effect
 * on pixels are ignored, missing ones take the family's defaults, and integer sizes of older files are understood: of the
 * shortest edge for CLIP and BiT, of both sides for SigLIP and ViT, of the longest edge for SAM. Pix2Struct's are read by
 * `pix2structProcessorFromHuggingFace`.
 *
 * @throws ImageError if a key that matters has a wrong type, or the file asks for steps outside these families
 */
export function imageProcessorFromHuggingFace(
  json: unknown,
  { name = 'preprocessor_config.json', overrides = {} }: HuggingFaceProcessorOptions = {},
): ImageProcessor {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw refusal(`${name}: ${issue.path.join('.') || 'content'}`, issue.message, 'correct this key');
  }
  const file = parsed.data;
  const type = file.image_processor_type ?? file.feature_extractor_type ?? 'CLIPImageProcessor';
  const family = FAMILIES[type.replace(/(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/, '')];
  if (family === undefined) {
    throw refusal(
      `${name}: image_processor_type`,
      type,
      `use one of ${Object.keys(FAMILIES).join(', ')}, or describe the steps with imageProcessor()`,
    );
  }
  if (file.do_pad === true && family.pad === undefined) {
    throw refusal(`${name}: do_pad`, 'true', 'describe the steps with imageProcessor(), for example padToSquare');
  }
  const normalise = file.do_normalize ?? true;
  const { size = family.size } = file;
  if (typeof size === 'object' && hasLongestEdge(size) !== hasLongestEdge(family.size)) {
    throw refusal(`${name}: size`, JSON.stringify(size), `give a size such as ${JSON.stringify(family.size)}`);
  }
  const pads = family.pad !== undefined && file.do_pad !== false;
  return imageProcessor({
    resize: (file.do_resize ?? true) ? readSize(size, family) : null,
    filter: FILTER_OF_NUMBER[file.resample ?? family.resample],
    crop: (file.do_center_crop ?? family.crop !== null) ? readCrop(file.crop_size ?? family.crop ?? 224) : null,
    rescaleFactor: (file.do_rescale ?? true) ? (file.rescale_factor ?? 1 / 255) : null,
    mean: normalise ? toTriple(file.image_mean ?? family.mean) : [0, 0, 0],
    std: normalise ? toTriple(file.image_std ?? family.std) : [1, 1, 1],
    pad: pads ? readCrop(file.pad_size ?? family.pad) : null,
    ...overrides,
  });
}

/**
 * The content of a `preprocessor_config.json` for a processor, readable by {@link imageProcessorFromHuggingFace} and by
 * Hugging Face transformers.
 *
 * @throws ImageError if the processor pads to a square, which such a file cannot say, or mixes steps of families
 */
export function imageProcessorToHuggingFace(processor: ImageProcessor): Record<string, unknown> {
  if (processor.padToSquare) {
    throw new ImageError({
      operation: 'imageProcessorToHuggingFace',
      source: 'padToSquare',
      expected: 'a processor that does not pad',
      received: 'true',
      remedy: 'write it with padToSquare false and keep image_aspect_ratio "pad" in the model configuration',
    });
  }
  const { resize, crop, pad } = processor;
  return {
    image_processor_type: `${familyOf(processor)}ImageProcessor`,
    do_convert_rgb: true,
    do_resize: resize !== null,
    ...(resize === null ? {} : { size: writeSize(resize) }),
    resample: FILTER_OF_NUMBER.indexOf(processor.filter),
    do_center_crop: crop !== null,
    ...(crop === null ? {} : { crop_size: { ...crop } }),
    do_rescale: processor.rescaleFactor !== null,
    ...(processor.rescaleFactor === null ? {} : { rescale_factor: processor.rescaleFactor }),
    do_normalize: true,
    image_mean: [...processor.mean],
    image_std: [...processor.std],
    ...(familyOf(processor) === 'Sam' ? { do_pad: pad !== null } : {}),
    ...(pad === null ? {} : { pad_size: { ...pad } }),
  };
}

/** The family whose processor of transformers does all of these steps. */
function familyOf({ resize, crop, pad }: ImageProcessor): 'CLIP' | 'Siglip' | 'Sam' {
  const isSam = pad !== null || (resize !== null && 'longestEdge' in resize);
  if (isSam && (crop !== null || (resize !== null && !('longestEdge' in resize)))) {
    throw new ImageError({
      operation: 'imageProcessorToHuggingFace',
      source: 'pad',
      expected: 'the steps of one family: padding goes with a longest edge and without a crop',
      received: JSON.stringify({ resize, crop, pad }),
      remedy: 'keep the processor as JSON instead',
    });
  }
  if (isSam) return 'Sam';
  return (resize !== null && 'shortestEdge' in resize) || crop !== null ? 'CLIP' : 'Siglip';
}

function writeSize(resize: NonNullable<ImageProcessor['resize']>): Record<string, number> {
  if ('shortestEdge' in resize) return { shortest_edge: resize.shortestEdge };
  return 'longestEdge' in resize ? { longest_edge: resize.longestEdge } : { ...resize };
}

function hasLongestEdge(size: unknown): boolean {
  return 'longest_edge' in (size as object);
}

function readSize(value: unknown, family: FamilyDefaults): ImageProcessorConfig['resize'] {
  if (typeof value === 'number') {
    if ('height' in (family.size as object)) return { width: value, height: value };
    return hasLongestEdge(family.size) ? { longestEdge: value } : { shortestEdge: value };
  }
  if ('shortest_edge' in (value as object)) {
    return { shortestEdge: (value as { shortest_edge: number }).shortest_edge };
  }
  if (hasLongestEdge(value)) return { longestEdge: (value as { longest_edge: number }).longest_edge };
  return readCrop(value);
}

function readCrop(value: unknown): { width: number; height: number } {
  if (typeof value === 'number') return { width: value, height: value };
  const { width, height } = value as { width: number; height: number };
  return { width, height };
}

function toTriple(values: readonly number[]): [number, number, number] {
  return [values[0]!, values[1]!, values[2]!];
}

function refusal(source: string, received: string, remedy: string): ImageError {
  return new ImageError({
    operation: 'imageProcessorFromHuggingFace',
    source,
    expected: 'an image processor of a known family',
    received,
    remedy,
  });
}
