import type { RgbImage } from '@ocelli/data';
import type { TextRegion } from '@ocelli/moai-mixer';

type Corners = TextRegion['corners'];
type Matrix = readonly [number, number, number, number, number, number, number, number];

/**
 * A region at any angle as an upright picture, as PaddleOCR cuts lines out: the perspective that brings the corners to
 * those of the picture, bicubic; one that is at least half as high again as wide is turned to the left.
 */
export function cropRegion(picture: RgbImage, corners: Corners): RgbImage {
  const [topLeft, topRight, bottomRight, bottomLeft] = corners;
  const side = (...pairs: readonly (readonly [Corners[0], Corners[0]])[]) =>
    Math.max(1, Math.trunc(Math.max(...pairs.map(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1])))));
  const width = side([topLeft, topRight], [bottomLeft, bottomRight]);
  const height = side([topLeft, bottomLeft], [topRight, bottomRight]);
  const [a, b, c, d, e, f, g, h] = squareToQuadrilateral(corners);
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [u, v] = [column / width, row / height];
      const scale = g * u + h * v + 1;
      const place = (row * width + column) * 3;
      sample(picture, [(a * u + b * v + c) / scale, (d * u + e * v + f) / scale], data.subarray(place, place + 3));
    }
  }
  const upright = { width, height, data };
  return height / width >= 1.5 ? turnedLeft(upright) : upright;
}

/** Coefficients of ((a u + b v + c) / (g u + h v + 1), (d u + e v + f) / (…)) (Heckbert 1989, §2.2.3). */
function squareToQuadrilateral([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]: Corners): Matrix {
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const [dx1, dy1, dx2, dy2] = [x1 - x2, y1 - y2, x3 - x2, y3 - y2];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const [g, h] =
    determinant === 0 ? [0, 0] : [(sx * dy2 - dx2 * sy) / determinant, (dx1 * sy - sx * dy1) / determinant];
  return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h];
}

/** OpenCV's cubic kernel. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.25 * x - 2.25) * x * x + 1;
  return x < 2 ? ((-0.75 * x + 3.75) * x - 6) * x + 3 : 0;
}

/** Colour between pixels, which go on beyond the edge. */
function sample({ width, height, data }: RgbImage, [x, y]: readonly [number, number], into: Uint8Array): void {
  const [left, top] = [Math.floor(x) - 1, Math.floor(y) - 1];
  const colour = [0, 0, 0];
  for (let row = top; row < top + 4; row++) {
    const line = Math.min(Math.max(row, 0), height - 1) * width;
    for (let column = left; column < left + 4; column++) {
      const weight = cubic(x - column) * cubic(y - row);
      const place = (line + Math.min(Math.max(column, 0), width - 1)) * 3;
      for (const channel of [0, 1, 2] as const) colour[channel]! += weight * data[place + channel]!;
    }
  }
  colour.forEach((value, channel) => {
    into[channel] = Math.min(255, Math.max(0, Math.round(value)));
  });
}

function turnedLeft({ width, height, data }: RgbImage): RgbImage {
  const turned = new Uint8Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * 3;
      turned.set(data.subarray(from, from + 3), ((width - 1 - column) * height + row) * 3);
    }
  }
  return { width: height, height: width, data: turned };
}

/** A picture upside down. */
export function upsideDown({ width, height, data }: RgbImage): RgbImage {
  const turned = new Uint8Array(data.length);
  const count = width * height;
  for (let pixel = 0; pixel < count; pixel++) {
    turned.set(data.subarray(pixel * 3, pixel * 3 + 3), (count - 1 - pixel) * 3);
  }
  return { width, height, data: turned };
}
