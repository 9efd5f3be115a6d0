/**
 * Levenshtein distance: insertions, deletions and substitutions of code points between two texts.
 *
 * @returns the distance, or something larger than `limit` where it is larger
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  const [short, long] = [[...a], [...b]].sort((x, y) => x.length - y.length) as [string[], string[]];
  if (long.length - short.length > limit) return long.length - short.length;
  let previous = Uint32Array.from({ length: short.length + 1 }, (_, index) => index);
  let current = new Uint32Array(short.length + 1);
  for (let row = 0; row < long.length; row++) {
    current[0] = row + 1;
    for (let column = 0; column < short.length; column++) {
      const substitution = previous[column]! + (short[column] === long[row] ? 0 : 1);
      current[column + 1] = Math.min(substitution, previous[column + 1]! + 1, current[column]! + 1);
    }
    [previous, current] = [current, previous];
  }
  return previous[short.length]!;
}
