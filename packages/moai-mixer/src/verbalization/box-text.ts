import { ConfigError } from '@ocelli/core-tensor';

/** Left, top, right and bottom edge of a box. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Side in pixels of the pictures that the published model sees. */
export const publishedImageSize = 490;

/**
 * A coordinate with two decimals as Python prints it after `round`: of the float32 value, halves to the even digit, and
 * with the sign of a negative zero.
 *
 * @throws ConfigError if it is not finite
 */
export function coordinateText(value: number): string {
  const exact = Math.fround(value);
  if (!Number.isFinite(exact)) {
    throw new ConfigError({ operation: 'coordinateText', expected: 'a finite coordinate', received: String(value) });
  }
  const size = Math.abs(exact);
  // toFixed rounds the exact binary value, but halves away from zero; two decimals are halfway at odd eighths only.
  const isHalfway = (size * 8) % 2 === 1;
  const below = Math.floor(size * 100);
  const text = (isHalfway ? (below + (below % 2)) / 100 : size).toFixed(2);
  return exact < 0 || Object.is(exact, -0) ? `-${text}` : text;
}

/** A box with edges as shares of the picture: `[0.12, 0.38, 0.62, 0.88]`. */
export function boxText(box: Box): string {
  return `[${box.map(coordinateText).join(', ')}]`;
}

/** A box in pixels as shares of the picture's side, in float32. */
export function relativeBox(box: Box, imageSize: number = publishedImageSize): Box {
  return box.map((edge) => Math.fround(Math.fround(edge) / Math.fround(imageSize))) as unknown as Box;
}
