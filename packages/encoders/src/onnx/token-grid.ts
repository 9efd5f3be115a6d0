/** What is known about the grid that tokens lie in. */
export interface TokenGridOptions {
  /** Of the images, in pixels. */
  readonly height: number;
  readonly width: number;
  /** Side of a patch in pixels. */
  readonly patchSize?: number | undefined;
  /** Tokens in front of the patches. */
  readonly prefixTokens?: number | undefined;
}

/** Rows and columns of the last tokens, and how many are in front of them. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
  readonly prefixTokens: number;
}

/** The grid of tokens; undefined where their number does not tell it. */
export function tokenGrid(tokens: number, options: TokenGridOptions): TokenGrid | undefined {
  const { height, width, patchSize, prefixTokens } = options;
  if (patchSize !== undefined) {
    const [rows, columns] = [Math.floor(height / patchSize), Math.floor(width / patchSize)];
    const prefix = tokens - rows * columns;
    return prefix >= 0 && prefix === (prefixTokens ?? prefix) ? { rows, columns, prefixTokens: prefix } : undefined;
  }
  for (const prefix of prefixTokens === undefined ? [0, 1] : [prefixTokens]) {
    // As many rows to columns as the image has pixels.
    const rows = Math.round(Math.sqrt(((tokens - prefix) * height) / width));
    const columns = rows === 0 ? 0 : (tokens - prefix) / rows;
    const isGrid =
      Number.isInteger(columns) && columns >= 1 && Math.abs(columns * height - rows * width) < Math.max(height, width);
    if (isGrid) return { rows, columns, prefixTokens: prefix };
  }
  return undefined;
}
