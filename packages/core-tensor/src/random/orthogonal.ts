/**
 * Makes the rows of a matrix orthonormal in place: Gram–Schmidt run twice over, which is as accurate as Householder's
 * reflections ("twice is enough", Giraud, Langou, Rozložník and van den Eshof, 2005).
 *
 * @param rows at most as many vectors as their length, linearly independent
 */
export function orthonormalize(rows: readonly Float64Array[]): void {
  rows.forEach((row, index) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < index; other++) {
        subtractProjection(row, rows[other]!);
      }
    }
    const norm = Math.sqrt(dot(row, row));
    for (let i = 0; i < row.length; i++) {
      row[i]! /= norm;
    }
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += a[i]! * b[i]!;
  }
  return sum;
}

function subtractProjection(row: Float64Array, unit: Float64Array): void {
  const length = dot(row, unit);
  for (let i = 0; i < row.length; i++) {
    row[i]! -= length * unit[i]!;
  }
}
