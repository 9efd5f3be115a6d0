import { z } from 'zod';
import { ImageError } from './image-error.js';
import { RESAMPLE_FILTERS, type ResampleFilter } from './resample-filter.js';

const pixels = z.number().int().min(1).max(65_536);
const perChannel = z.tuple([z.number(), z.number(), z.number()]);
const size = z.strictObject({ width: pixels, height: pixels });

/** What {@link imageProcessor} accepts. */
export const imageProcessorSchema = z.strictObject({
  /** Pad to a square of colour trunc(255 · mean) before anything else (`image_aspect_ratio: pad` of LLaVA). */
  padToSquare: z.boolean().default(false),
  /**
   * `shortestEdge` and `longestEdge` keep the aspect ratio and give that side so many pixels; `width` and `height` ignore
   * the aspect ratio; `null` leaves the size.
   */
  resize: z.union([z.strictObject({ shortestEdge: pixels }), z.strictObject({ longestEdge: pixels }), size]).nullable(),
  filter: z.enum(RESAMPLE_FILTERS as [ResampleFilter, ...ResampleFilter[]]).default('bicubic'),
  /** Centre crop, or `null` for none. */
  crop: size.nullable().default(null),
  /** Bytes are multiplied by this; `null` for none. */
  rescaleFactor: z
    .number()
    .positive()
    .nullable()
    .default(1 / 255),
  /** Subtracted from, and divided into, each rescaled channel. */
  mean: perChannel.default([0, 0, 0]),
  std: perChannel
    .refine((values) => values.every((value) => value > 0), 'every deviation must be positive')
    .default([1, 1, 1]),
  /** Zeros at the right and at the bottom of the normalised image up to this size, or `null` for none. */
  pad: size.nullable().default(null),
});

/** How an image becomes a tensor: pad, resize on bytes, crop, rescale, normalise. Plain data, JSON-serialisable. */
export type ImageProcessor = Readonly<z.output<typeof imageProcessorSchema>>;

/** An {@link ImageProcessor} with its defaults left out. */
export type ImageProcessorConfig = z.input<typeof imageProcessorSchema>;

/** Channel means of the images CLIP was trained on. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;

/** Channel deviations of the images CLIP was trained on. */
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * Validates a processor and fills in its defaults.
 *
 * @throws ImageError naming the field that is missing, unknown or out of range
 */
export function imageProcessor(config: ImageProcessorConfig): ImageProcessor {
  const parsed = imageProcessorSchema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ImageError({
    operation: 'imageProcessor',
    source: issue.path.length > 0 ? issue.path.join('.') : 'config',
    expected: 'a valid image processor configuration',
    received: issue.message,
    remedy: 'correct this field',
  });
}

/** CLIP's processor: shortest edge to `side`, centre crop, CLIP normalisation (`CLIPImageProcessor`). */
export function clipImageProcessor(side: number): ImageProcessor {
  return imageProcessor({
    resize: { shortestEdge: side },
    crop: { width: side, height: side },
    mean: [...CLIP_MEAN],
    std: [...CLIP_STD],
  });
}

/** SigLIP's processor: exactly `side` × `side`, values in [−1, 1] (`SiglipImageProcessor`). */
export function siglipImageProcessor(side: number): ImageProcessor {
  return imageProcessor({
    resize: { width: side, height: side },
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
}

/** Channel means of ImageNet. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;

/** Channel deviations of ImageNet. */
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/**
 * SAM's own processor: longest edge to `side`, ImageNet normalisation, zeros at the right and at the bottom
 * (`SamImageProcessor`). Eagle does not use it: there SAM and EVA-02 see what CLIP's processor of 1024 pixels gives.
 */
export function samImageProcessor(side = 1024): ImageProcessor {
  return imageProcessor({
    resize: { longestEdge: side },
    filter: 'bilinear',
    mean: [...IMAGENET_MEAN],
    std: [...IMAGENET_STD],
    pad: { width: side, height: side },
  });
}

/** Honeybee's processor: straight to `side` × `side`, no crop, CLIP normalisation. */
export function squashImageProcessor(side: number): ImageProcessor {
  return imageProcessor({
    resize: { width: side, height: side },
    mean: [...CLIP_MEAN],
    std: [...CLIP_STD],
  });
}
