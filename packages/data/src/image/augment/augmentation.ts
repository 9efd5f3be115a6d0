import { parseConfig } from '@ocelli/core-tensor';
import { z } from 'zod';
import { AUGMENT_OPERATIONS, type AugmentOperation } from './operations.js';

const range = (most: number) =>
  z
    .tuple([z.number().positive().max(most), z.number().positive().max(most)])
    .refine(([low, high]) => low <= high, 'must be in ascending order');
const probability = z.number().min(0).max(1);

/** Those that change no colours. */
const PLAIN: AugmentOperation[] = [
  'Identity',
  'AutoContrast',
  'Brightness',
  'Sharpness',
  'Equalize',
  'ShearX',
  'ShearY',
  'TranslateX',
  'TranslateY',
  'Rotate',
];

const schema = z.strictObject({
  /**
   * A random part of the image, scaled to the size asked for: its share of the area, and its width by its height. `null`
   * for the whole image, scaled.
   */
  crop: z
    .strictObject({ area: range(1).default([0.5, 1]), ratio: range(1000).default([3 / 4, 4 / 3]) })
    .nullable()
    .prefault({}),
  /** How often an image is mirrored left to right. */
  flip: probability.default(0.5),
  /** What RandAugment draws from. */
  operations: z
    .array(z.enum(AUGMENT_OPERATIONS as [AugmentOperation, ...AugmentOperation[]]))
    .min(1)
    .default(PLAIN),
  /** How many operations are drawn for an image, each anew; 0 for none. */
  count: z.int().min(0).max(100).default(2),
  /** How often a drawn operation is carried out. */
  probability: probability.default(0.5),
  /** How strong operations are, from 0 to 10. */
  level: z.number().min(0).max(10).default(7),
  /** Value of all channels where a moved image leaves nothing. */
  fill: z.int().min(0).max(255).default(128),
  /** Whether operations have the released code's mistakes, see `AugmentArithmetic`. */
  arithmetic: z.enum(['published', 'corrected']).default('published'),
});

/** How training images are changed at random; plain data. */
export type Augmentation = Readonly<z.output<typeof schema>>;
/** An {@link Augmentation} whose defaults may be left out: they are those of ManagerTower's `albef_randaug`. */
export type AugmentationConfig = Readonly<z.input<typeof schema>>;

/**
 * Validates an augmentation and fills in its defaults.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function augmentation(config: AugmentationConfig = {}): Augmentation {
  return parseConfig('augmentation', schema, config);
}

/**
 * What ManagerTower is fine-tuned with, under the names of its configuration (`src/transforms/transform.py`): `_wohf`
 * (VQAv2) mirrors nothing, as questions ask for left and right; `_wc` (SNLI-VE, NLVR², Flickr30K) changes colours too.
 */
export const PUBLISHED_AUGMENTATIONS = {
  albef_randaug: augmentation(),
  albef_randaug_wohf: augmentation({ flip: 0 }),
  albef_randaug_wc: augmentation({ operations: [...AUGMENT_OPERATIONS] }),
} as const satisfies Readonly<Record<string, Augmentation>>;
