/** A place in a picture. */
export type Point = readonly [x: number, y: number];

/** A rectangle at any angle. */
export interface Rectangle {
  readonly centre: Point;
  /** Direction of `width`, of length one; that of `height` is a quarter turn further, (−y, x). */
  readonly direction: Point;
  readonly width: number;
  readonly height: number;
}

/** The smallest rectangle around points, at any angle. */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  let best: Rectangle | undefined;
  for (const [index, start] of hull.entries()) {
    const end = hull[(index + 1) % hull.length]!;
    const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
    const direction: Point = length > 0 ? [(end[0] - start[0]) / length, (end[1] - start[1]) / length] : [1, 0];
    const candidate = rectangleAlong(hull, direction);
    if (!best || candidate.width * candidate.height < best.width * best.height) best = candidate;
  }
  return best!;
}

/** The same, wider by so much on every side. */
export function grown(rectangle: Rectangle, margin: number): Rectangle {
  return { ...rectangle, width: rectangle.width + 2 * margin, height: rectangle.height + 2 * margin };
}

/** Corners in the order top left, top right, bottom right, bottom left, of a picture whose y grows downwards. */
export function cornersOf({ centre: [x, y], direction: [dx, dy], width, height }: Rectangle): Point[] {
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([across, along]): Point => {
    const [a, b] = [(across! * width) / 2, (along! * height) / 2];
    return [x + a * dx - b * dy, y + a * dy + b * dx];
  });
  const byX = corners.sort((a, b) => a[0] - b[0]);
  const [topLeft, bottomLeft] = byX.slice(0, 2).sort((a, b) => a[1] - b[1]);
  const [topRight, bottomRight] = byX.slice(2).sort((a, b) => a[1] - b[1]);
  return [topLeft!, topRight!, bottomRight!, bottomLeft!];
}

/** Whether a place is in a rectangle, its edge included. */
export function contains({ centre, direction: [dx, dy], width, height }: Rectangle, [x, y]: Point): boolean {
  const [a, b] = [x - centre[0], y - centre[1]];
  const slack = 1e-6;
  return Math.abs(a * dx + b * dy) <= width / 2 + slack && Math.abs(b * dx - a * dy) <= height / 2 + slack;
}

function rectangleAlong(points: readonly Point[], direction: Point): Rectangle {
  const [dx, dy] = direction;
  const along = points.map(([x, y]) => x * dx + y * dy);
  const across = points.map(([x, y]) => y * dx - x * dy);
  const [left, right] = [Math.min(...along), Math.max(...along)];
  const [top, bottom] = [Math.min(...across), Math.max(...across)];
  const [a, b] = [(left + right) / 2, (top + bottom) / 2];
  return { centre: [a * dx - b * dy, a * dy + b * dx], direction, width: right - left, height: bottom - top };
}

/** The corners around points, in order (Andrew's monotone chain). */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly Point[]) => {
    const chain: Point[] = [];
    for (const point of ordered) {
      while (chain.length > 1 && turn(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
