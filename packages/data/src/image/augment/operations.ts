import type { RgbImage } from '../rgb-image.js';
import {
  type AugmentArithmetic,
  autoContrast,
  brightness,
  colour,
  contrast,
  equalize,
  posterize,
  sharpness,
  solarize,
} from './colour-operations.js';
import { type AffineMatrix, rotation, warpAffine } from './warp-affine.js';

/** How strongly, and how, an operation changes an image. */
export interface AugmentStrength {
  /** From 0 to 10. */
  readonly level: number;
  /** Direction of shears, shifts and turns. */
  readonly sign: 1 | -1;
  /** Value of all channels where a moved image leaves nothing. */
  readonly fill: number;
  readonly arithmetic: AugmentArithmetic;
}

type Operation = (image: RgbImage, strength: AugmentStrength) => RgbImage;

const enhancement = ({ level }: AugmentStrength): number => (level / 10) * 1.8 + 0.1;

/** Matrices are kept in single precision. */
const warp =
  (matrixOf: (amount: number) => AffineMatrix, most: number): Operation =>
  (image, { level, sign, fill }) =>
    warpAffine(image, matrixOf(Math.fround(sign * (level / 10) * most)), fill);

const operations = {
  Identity: (image) => image,
  AutoContrast: (image, { arithmetic }) => autoContrast(image, arithmetic),
  Brightness: (image, strength) => brightness(image, enhancement(strength)),
  Sharpness: (image, strength) => sharpness(image, enhancement(strength), strength.arithmetic),
  Equalize: (image) => equalize(image),
  ShearX: warp((amount) => [1, amount, 0, 0, 1, 0], 0.3),
  ShearY: warp((amount) => [1, 0, 0, amount, 1, 0], 0.3),
  TranslateX: warp((amount) => [1, 0, -amount, 0, 1, 0], 10),
  TranslateY: warp((amount) => [1, 0, 0, 0, 1, -amount], 10),
  Rotate: (image, { level, sign, fill }) => warpAffine(image, rotation(image, sign * (level / 10) * 30), fill),
  Solarize: (image, { level }) => solarize(image, Math.trunc((level / 10) * 256)),
  Color: (image, strength) => colour(image, enhancement(strength), strength.arithmetic),
  Contrast: (image, strength) => contrast(image, enhancement(strength), strength.arithmetic),
  Posterize: (image, { level }) => posterize(image, Math.trunc((level / 10) * 4)),
} as const satisfies Readonly<Record<string, Operation>>;

/** Names of the operations that {@link applyAugmentOperation} knows. */
export type AugmentOperation = keyof typeof operations;

/** All operations; the last four change colours. */
export const AUGMENT_OPERATIONS = Object.keys(operations) as readonly AugmentOperation[];

/**
 * One operation of RandAugment on bytes. At level m of 10: shears by 0.3 · m/10, shifts by m pixels, turns by 3 · m degrees
 * around the middle, brightness, sharpness, colour and contrast times 1.8 · m/10 + 0.1, solarize from 256 · m/10 on,
 * posterize to ⌊4 · m/10⌋ bits.
 *
 * Source: LooperXX/ManagerTower `src/transforms/randaugment.py`; with `published` arithmetic the bytes are those of that
 * file with OpenCV 4.14 (colours may differ by one grey level where a linear algebra library rounds otherwise).
 *
 * @param image [height, width, 3]
 * @returns an image of the same size
 */
export function applyAugmentOperation(
  image: RgbImage,
  operation: AugmentOperation,
  strength: AugmentStrength,
): RgbImage {
  return operations[operation](image, strength);
}
