/** A map of numbers, row by row. */
export interface NumberMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** A map in another size: bilinear, with centres of pixels on centres (PyTorch's `align_corners=False`). */
export function resizeBilinear(
  { height, width, values }: NumberMap,
  [rows, columns]: readonly [number, number],
): NumberMap {
  const result = new Float32Array(rows * columns);
  const vertical = taps(height, rows);
  const horizontal = taps(width, columns);
  for (let row = 0; row < rows; row++) {
    const { first, second, share } = vertical[row]!;
    for (let column = 0; column < columns; column++) {
      const { first: left, second: right, share: across } = horizontal[column]!;
      const at = (line: number) => values[line * width + left]! * (1 - across) + values[line * width + right]! * across;
      result[row * columns + column] = at(first) * (1 - share) + at(second) * share;
    }
  }
  return { height: rows, width: columns, values: result };
}

interface Tap {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly share: number;
}

function taps(from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, index) => {
    const place = Math.max(0, ((index + 0.5) * from) / to - 0.5);
    const first = Math.min(Math.floor(place), from - 1);
    return { first, second: Math.min(first + 1, from - 1), share: place - first };
  });
}
