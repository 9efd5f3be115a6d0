import type { RgbImage } from '../rgb-image.js';

/** Rows of an affine map: x' = a·x + b·y + c, y' = d·x + e·y + f. */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Fraction bits of coordinates while they are added up, and of those that pixels are weighted by. */
const COORDINATE_BITS = 10;
const FRACTION_BITS = 5;
const STEPS = 1 << FRACTION_BITS;
/** Weights are products of two fractions. */
const WEIGHT_BITS = 2 * FRACTION_BITS;

/**
 * Moves pixels as OpenCV's `warpAffine` does with linear interpolation: in fixed point, places in steps of 1/32 of a
 * pixel. What comes from outside the image is grey.
 *
 * @param matrix from the image's places to those of the result
 * @param fill value of all channels outside the image
 * @returns [height, width, 3]
 */
export function warpAffine(image: RgbImage, matrix: AffineMatrix, fill: number): RgbImage {
  const { width, height, data: source } = image;
  const [a, b, c, d, e, f] = inverse(matrix);
  const across = Array.from({ length: width }, (_, x) => [fixed(a * x), fixed(d * x)] as const);
  const half = 1 << (COORDINATE_BITS - FRACTION_BITS - 1);
  const data = new Uint8Array(source.length);
  let target = 0;
  for (let y = 0; y < height; y++) {
    const [startX, startY] = [fixed(b * y + c) + half, fixed(e * y + f) + half];
    for (const [stepX, stepY] of across) {
      const placeX = (startX + stepX) >> (COORDINATE_BITS - FRACTION_BITS);
      const placeY = (startY + stepY) >> (COORDINATE_BITS - FRACTION_BITS);
      const [left, top] = [placeX >> FRACTION_BITS, placeY >> FRACTION_BITS];
      const [right, down] = [placeX & (STEPS - 1), placeY & (STEPS - 1)];
      for (let channel = 0; channel < 3; channel++) {
        const at = (x: number, y: number): number =>
          x < 0 || y < 0 || x >= width || y >= height ? fill : source[(y * width + x) * 3 + channel]!;
        const upper = (STEPS - right) * at(left, top) + right * at(left + 1, top);
        const lower = (STEPS - right) * at(left, top + 1) + right * at(left + 1, top + 1);
        const sum = (STEPS - down) * upper + down * lower;
        data[target++] = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
      }
    }
  }
  return { width, height, data };
}

/** Turns by so many degrees, anticlockwise, around the point (width / 2, height / 2). */
export function rotation({ width, height }: { readonly width: number; readonly height: number }, degrees: number) {
  const angle = (degrees * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [
    cosine,
    sine,
    (1 - cosine) * x - sine * y,
    -sine,
    cosine,
    sine * x + (1 - cosine) * y,
  ] as const satisfies AffineMatrix;
}

function inverse([a, b, c, d, e, f]: AffineMatrix): AffineMatrix {
  const scale = 1 / (a * e - b * d);
  const [p, q, r, s] = [e * scale, -b * scale, -d * scale, a * scale];
  return [p, q, -p * c - q * f, r, s, -r * c - s * f];
}

/** In fixed point; halves are rounded to the even number. */
function fixed(value: number): number {
  const scaled = value * (1 << COORDINATE_BITS);
  const rounded = Math.round(scaled);
  return rounded - scaled === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
