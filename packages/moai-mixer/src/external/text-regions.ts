import { ShapeError } from '@ocelli/core-tensor';
import { contains, cornersOf, grown, type Point, type Rectangle, smallestRectangle } from './rectangle.js';
import type { NumberMap } from './resize-bilinear.js';

/** Where a line of text is. */
export interface TextRegion {
  /** In pixels of the picture: top left, top right, bottom right, bottom left of the text. */
  readonly corners: readonly [Point, Point, Point, Point];
  /** Mean probability of text inside, before it was grown. */
  readonly score: number;
}

/** Options of {@link textRegionsFromMap}. Defaults are PaddleOCR's. */
export interface TextRegionOptions {
  /** Pixels of at least this probability are text. Default: 0.3. */
  readonly threshold?: number;
  /** Regions of at least this mean probability. Default: 0.6. */
  readonly regionThreshold?: number;
  /** How far regions are grown: area · ratio / perimeter on every side, as the map shows text shrunk. Default: 1.5. */
  readonly growth?: number;
  /** Connected pieces that are looked at. Default: 1000. */
  readonly candidates?: number;
}

/** Least side of a piece in pixels of the map; grown ones have to have two more. */
const leastSide = 3;

/**
 * Lines of text from a map of probabilities, as PaddleOCR's detector (differentiable binarisation, Liao et al. 2020, arXiv
 * 1911.08947): the smallest rectangles around connected pixels of text, those whose mean is high enough, grown by a margin,
 * in pixels of the picture. From top to bottom, and from left to right where they begin within ten pixels of height.
 *
 * Source: PaddleOCR `ppocr/postprocess/db_postprocess.py` and `tools/infer/predict_det.py`, `predict_system.py`.
 *
 * @param map probabilities; the picture's whole area
 * @param picture size of the picture
 * @throws ShapeError if the map is not as large as its sides say
 */
export function textRegionsFromMap(
  map: NumberMap,
  picture: { readonly width: number; readonly height: number },
  { threshold = 0.3, regionThreshold = 0.6, growth = 1.5, candidates = 1000 }: TextRegionOptions = {},
): TextRegion[] {
  if (map.values.length !== map.width * map.height) {
    throw new ShapeError({
      operation: 'textRegionsFromMap',
      expected: `a map [${map.height}, ${map.width}]`,
      received: [[map.values.length]],
    });
  }
  const regions = connectedPieces(map, threshold)
    .slice(0, candidates)
    .flatMap((points): TextRegion[] => {
      const rectangle = smallestRectangle(points);
      if (Math.min(rectangle.width, rectangle.height) < leastSide) return [];
      const score = meanIn(map, rectangle);
      if (score < regionThreshold) return [];
      const { width, height } = rectangle;
      const larger = grown(rectangle, (width * height * growth) / (2 * (width + height)));
      if (Math.min(larger.width, larger.height) < leastSide + 2) return [];
      const corners = cornersOf(larger).map(
        ([x, y]): Point => [
          limited(Math.round((x / map.width) * picture.width), picture.width),
          limited(Math.round((y / map.height) * picture.height), picture.height),
        ],
      ) as unknown as TextRegion['corners'];
      return isLargeEnough(corners) ? [{ corners, score }] : [];
    });
  return inReadingOrder(regions);
}

function limited(value: number, size: number): number {
  return Math.min(Math.max(value, 0), size - 1);
}

function isLargeEnough([topLeft, topRight, , bottomLeft]: TextRegion['corners']): boolean {
  return [topRight, bottomLeft].every((other) => Math.trunc(distance(topLeft, other)) > 3);
}

/** From one point to another. */
export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function inReadingOrder(regions: readonly TextRegion[]): TextRegion[] {
  const sorted = [...regions].sort((a, b) => a.corners[0][1] - b.corners[0][1] || a.corners[0][0] - b.corners[0][0]);
  for (let end = 1; end < sorted.length; end++) {
    for (let place = end; place > 0; place--) {
      const [above, below] = [sorted[place - 1]!, sorted[place]!];
      const [[x, y], [left, top]] = [below.corners[0], above.corners[0]];
      if (Math.abs(y - top) >= 10 || x >= left) break;
      sorted[place - 1] = below;
      sorted[place] = above;
    }
  }
  return sorted;
}

/** First and last pixels of each line of connected pixels of text, piece by piece. */
function connectedPieces({ height, width, values }: NumberMap, threshold: number): Point[][] {
  const seen = new Uint8Array(values.length);
  const isText = (place: number) => values[place]! > threshold && !seen[place];
  const pieces: Point[][] = [];
  for (let start = 0; start < values.length; start++) {
    if (!isText(start)) continue;
    const ends = new Map<number, [number, number]>();
    const open = [start];
    seen[start] = 1;
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const [row, column] = [Math.floor(place / width), place % width];
      const [first, last] = ends.get(row) ?? [column, column];
      ends.set(row, [Math.min(first, column), Math.max(last, column)]);
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
          const next = y * width + x;
          if (!isText(next)) continue;
          seen[next] = 1;
          open.push(next);
        }
      }
    }
    pieces.push(
      [...ends].flatMap(([row, [first, last]]): Point[] => [
        [first, row],
        [last, row],
      ]),
    );
  }
  return pieces;
}

function meanIn({ height, width, values }: NumberMap, rectangle: Rectangle): number {
  const corners = cornersOf(rectangle);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(...ys))), Math.min(height - 1, Math.ceil(Math.max(...ys)))];
  const [left, right] = [Math.max(0, Math.floor(Math.min(...xs))), Math.min(width - 1, Math.ceil(Math.max(...xs)))];
  let total = 0;
  let count = 0;
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (!contains(rectangle, [column, row])) continue;
      total += values[row * width + column]!;
      count++;
    }
  }
  return count === 0 ? 0 : total / count;
}
