/** Columns and rows of a glyph, in dots. Glyphs of a word are one dot apart. */
export const GLYPH_COLUMNS = 5;
export const GLYPH_ROWS = 7;

/** Rows from top to bottom; a 1 is a printed dot. Own glyphs, so that no system font decides what a picture shows. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '01110 10001 10001 11111 10001 10001 10001',
  B: '11110 10001 10001 11110 10001 10001 11110',
  C: '01111 10000 10000 10000 10000 10000 01111',
  D: '11110 10001 10001 10001 10001 10001 11110',
  E: '11111 10000 10000 11110 10000 10000 11111',
  F: '11111 10000 10000 11110 10000 10000 10000',
  G: '01111 10000 10000 10011 10001 10001 01111',
  H: '10001 10001 10001 11111 10001 10001 10001',
  I: '11111 00100 00100 00100 00100 00100 11111',
  J: '00111 00010 00010 00010 00010 10010 01100',
  K: '10001 10010 10100 11000 10100 10010 10001',
  L: '10000 10000 10000 10000 10000 10000 11111',
  M: '10001 11011 10101 10101 10001 10001 10001',
  N: '10001 11001 11001 10101 10011 10011 10001',
  O: '01110 10001 10001 10001 10001 10001 01110',
  P: '11110 10001 10001 11110 10000 10000 10000',
  Q: '01110 10001 10001 10001 10101 10010 01101',
  R: '11110 10001 10001 11110 10100 10010 10001',
  S: '01111 10000 10000 01110 00001 00001 11110',
  T: '11111 00100 00100 00100 00100 00100 00100',
  U: '10001 10001 10001 10001 10001 10001 01110',
  V: '10001 10001 10001 10001 01010 01010 00100',
  W: '10001 10001 10001 10101 10101 11011 10001',
  X: '10001 01010 01010 00100 01010 01010 10001',
  Y: '10001 10001 01010 00100 00100 00100 00100',
  Z: '11111 00001 00010 00100 01000 10000 11111',
  0: '01110 10011 10011 10101 11001 11001 01110',
  1: '00100 01100 00100 00100 00100 00100 01110',
  2: '01110 10001 00001 00110 01000 10000 11111',
  3: '11110 00001 00001 01110 00001 00001 11110',
  4: '00110 01010 10010 11111 00010 00010 00010',
  5: '11111 10000 11110 00001 00001 10001 01110',
  6: '01110 10000 10000 11110 10001 10001 01110',
  7: '11111 00001 00010 00010 00100 00100 00100',
  8: '01110 10001 10001 01110 10001 10001 01110',
  9: '01110 10001 10001 01111 00001 00001 01110',
};

/** Characters that can be drawn. */
export const GLYPH_CHARACTERS: readonly string[] = Object.keys(GLYPHS);

/** Width of a word in dots. */
export function wordColumns(word: string): number {
  return word.length * (GLYPH_COLUMNS + 1) - 1;
}

/** A horizontal run of printed dots. */
export interface DotRun {
  readonly column: number;
  readonly row: number;
  readonly length: number;
}

/** The printed dots of a word of A–Z and 0–9 as horizontal runs, top row first. Characters without a glyph are blank. */
export function wordRuns(word: string): DotRun[] {
  const runs: DotRun[] = [];
  const glyphs = [...word].map((character) => GLYPHS[character]?.split(' ') ?? []);
  for (let row = 0; row < GLYPH_ROWS; row++) {
    const line = glyphs.map((rows) => rows[row] ?? '00000').join('0');
    for (const match of line.matchAll(/1+/g)) runs.push({ column: match.index, row, length: match[0].length });
  }
  return runs;
}
