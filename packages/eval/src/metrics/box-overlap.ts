import type { BoxCorners } from '../answers/box.js';

/** Options of {@link boxOverlap}. */
export interface BoxOverlapOptions {
  /** `float32` as torchvision and ConvLLaVA's evaluator compute it, or `float64` as lmms-eval. Default: `float64`. */
  readonly precision?: 'float32' | 'float64';
}

/**
 * Intersection over union of two boxes; nothing is clipped to an image. A box whose right is left of its left has no
 * intersection with anything, and an area of the sign that its sides make.
 */
export function boxOverlap(a: BoxCorners, b: BoxCorners, { precision = 'float64' }: BoxOverlapOptions = {}): number {
  const round = precision === 'float32' ? Math.fround : (value: number) => value;
  const area = ([left, top, right, bottom]: BoxCorners) => round(round(right - left) * round(bottom - top));
  const [one, other] = [a.map(round), b.map(round)] as unknown as [BoxCorners, BoxCorners];
  const width = Math.max(0, round(Math.min(one[2], other[2]) - Math.max(one[0], other[0])));
  const height = Math.max(0, round(Math.min(one[3], other[3]) - Math.max(one[1], other[1])));
  const intersection = round(width * height);
  return round(intersection / round(round(area(one) + area(other)) - intersection));
}

/** Whether the centre of a box lies within another. */
export function hasCenterWithin(box: BoxCorners, within: BoxCorners): boolean {
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  return within[0] <= x && x <= within[2] && within[1] <= y && y <= within[3];
}
