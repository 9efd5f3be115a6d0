import type { Flops } from '@ocelli/core-tensor';

/** Lines of a table: the first column to the left, the others to the right; the last one too if it is text. */
export function textTable(rows: readonly (readonly string[])[], { lastIsText = false } = {}): string[] {
  const columns = Math.max(...rows.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const isText = (column: number) => column === 0 || (lastIsText && column === columns - 1);
  return rows.map((cells) =>
    cells
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('   ')
      .trimEnd(),
  );
}

/** `382 G`, `1.21 T`. */
export function formatAmount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  const index = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const number = value / 1000 ** index;
  const text = Number.isInteger(number) && index === 0 ? String(number) : number.toPrecision(3);
  // What rounds to a thousand belongs to the next unit.
  if (Number(text) >= 1000 && index < units.length - 1) return formatAmount(1000 ** (index + 1));
  return units[index] === '' ? text : `${text} ${units[index]}`;
}

/** Parameters: `6.74 B`, `37.1 M`. */
export function formatParameters(count: number): string {
  return formatAmount(count).replace('G', 'B');
}

/** Products and the rest, apart. */
export function formatFlops({ matmul, convolution, elementwise }: Flops): string {
  return `${formatAmount(matmul + convolution)} in products, ${formatAmount(elementwise)} elementwise`;
}

/** Operations of products alone. */
export function formatProducts({ matmul, convolution }: Flops): string {
  return formatAmount(matmul + convolution);
}

/** A number of bytes, or a dash. */
export function formatGigabytes(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** A whole number with its thousands apart, or a dash. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? '–' : count.toLocaleString('en-US');
}
