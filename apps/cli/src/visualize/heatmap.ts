import { escapeHtml } from '../report/markup.js';

/** Numbers in rows and columns. */
export interface Heatmap {
  readonly title: string;
  /** What the rows are, and their names. */
  readonly rows: { readonly name: string; readonly labels: readonly string[] };
  readonly columns: { readonly name: string; readonly labels: readonly string[] };
  /** [rows][columns]; null where there is nothing. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** A picture as SVG. */
export interface Drawing {
  readonly svg: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

const cell = { width: 54, height: 30 } as const;
const margin = { left: 66, right: 20, top: 46, bottom: 50, between: 26 } as const;

/** Blue for positive numbers, orange for negative ones, as in the report's palette; white is zero. */
const hues = { positive: [0, 114, 178], negative: [213, 94, 0] } as const;

/**
 * Draws heatmaps below each other: a cell per number, coloured by its size against the largest of its map, with the
 * number in it. Where there is nothing, the cell is crossed out.
 */
export function drawHeatmaps(maps: readonly Heatmap[]): Drawing {
  const heights = maps.map(({ values }) => margin.top + values.length * cell.height + margin.bottom);
  const tops = heights.map((_, index) =>
    heights.slice(0, index).reduce((sum, height) => sum + height + margin.between, 0),
  );
  const columns = Math.max(1, ...maps.map(({ columns: { labels } }) => labels.length));
  const width = margin.left + columns * cell.width + margin.right;
  const height = heights.reduce((sum, each) => sum + each, 0) + margin.between * Math.max(0, maps.length - 1);
  const parts = maps.map((map, index) => `<g transform="translate(0 ${tops[index]})">${drawHeatmap(map)}</g>`);
  const style = 'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="12" fill="#333"';
  return {
    svg:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${style}>` +
      `<rect width="${width}" height="${height}" fill="#fff"/>${parts.join('')}</svg>`,
    width,
    height,
  };
}

function drawHeatmap({ title, rows, columns, values }: Heatmap): string {
  const largest = Math.max(0, ...values.flat().map((value) => Math.abs(value ?? 0)));
  const middleX = margin.left + (columns.labels.length * cell.width) / 2;
  const middleY = margin.top + (rows.labels.length * cell.height) / 2;
  const bottom = margin.top + rows.labels.length * cell.height;
  return [
    text(title, { x: margin.left, y: 20, anchor: 'start', weight: 600 }),
    text(rows.name, { x: 16, y: middleY, rotate: -90 }),
    ...rows.labels.map((label, row) =>
      text(label, { x: margin.left - 8, y: margin.top + (row + 0.5) * cell.height + 4, anchor: 'end' }),
    ),
    ...values.flatMap((row, y) =>
      row.map((value, x) =>
        drawCell(value, largest, { x: margin.left + x * cell.width, y: margin.top + y * cell.height }),
      ),
    ),
    ...columns.labels.map((label, column) =>
      text(label, { x: margin.left + (column + 0.5) * cell.width, y: bottom + 17 }),
    ),
    text(columns.name, { x: middleX, y: bottom + 38 }),
  ].join('');
}

function drawCell(value: number | null, largest: number, { x, y }: { readonly x: number; readonly y: number }): string {
  const { width, height } = cell;
  if (value === null) {
    return (
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#f4f5f6" stroke="#fff"/>` +
      `<path d="M${x + 20} ${y + 8}l14 14m0 -14l-14 14" stroke="#c4c9ce" fill="none"/>`
    );
  }
  const share = largest === 0 ? 0 : Math.abs(value) / largest;
  const hue = value < 0 ? hues.negative : hues.positive;
  const colour = hue.map((channel) => Math.round(255 + (channel - 255) * share)).join(', ');
  const ink = share > 0.6 ? '#fff' : '#222';
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="rgb(${colour})" stroke="#fff"/>` +
    text(formatCell(value), { x: x + width / 2, y: y + height / 2 + 4, fill: ink })
  );
}

/** Three digits that count. */
export function formatCell(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e3 ? value.toPrecision(3) : value.toExponential(1);
}

interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: number;
  readonly fill?: string;
  readonly rotate?: number;
}

function text(content: string, { x, y, anchor = 'middle', weight, fill, rotate }: TextOptions): string {
  const attributes = [
    `x="${x}" y="${y}" text-anchor="${anchor}"`,
    weight === undefined ? '' : ` font-weight="${weight}"`,
    fill === undefined ? '' : ` fill="${fill}"`,
    rotate === undefined ? '' : ` transform="rotate(${rotate} ${x} ${y})"`,
  ];
  return `<text ${attributes.join('')}>${escapeHtml(content)}</text>`;
}
