import { mkdir } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { writeFileAtomically } from '@ocelli/core-tensor';
import { decodeImage, encodePng, rasterise } from '@ocelli/data';
import { UsageError } from '../errors.js';
import type { Drawing } from './heatmap.js';

/**
 * The files that `--out` names: one `.svg` or `.png`, or both for a name without ending.
 *
 * @throws UsageError for another ending
 */
export function drawingFiles(out: string): string[] {
  const ending = extname(out).toLowerCase();
  if (ending === '.svg' || ending === '.png') return [out];
  if (ending === '') return [`${out}.svg`, `${out}.png`];
  throw new UsageError(
    `--out: expected a name that ends with .svg or .png, or has no ending, received ${JSON.stringify(out)}.`,
  );
}

/** Writes a drawing into files named by {@link drawingFiles}; their folders are made. Each appears whole or not at all. */
export async function saveDrawing(drawing: Drawing, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const bytes = extname(file).toLowerCase() === '.png' ? await toPng(drawing) : `${drawing.svg}\n`;
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomically(file, bytes);
  }
}

/** Pixels of a drawing: it is rasterised as the corner of a square, and cut out of it. */
async function toPng({ svg, width, height }: Drawing): Promise<Uint8Array> {
  const side = Math.max(width, height);
  const square = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">${svg}</svg>`;
  const { data } = await decodeImage(await rasterise(square, side), { name: 'drawing' });
  const cut = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    cut.set(data.subarray(row * side * 3, (row * side + width) * 3), row * width * 3);
  }
  return encodePng({ width, height, data: cut });
}
