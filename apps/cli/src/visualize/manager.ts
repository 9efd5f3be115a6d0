import { closeEngine } from '@ocelli/core-tensor';
import type { LevelWeightTable } from '@ocelli/manager';
import { exitCodes } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { drawHeatmaps, formatCell, type Heatmap } from './heatmap.js';
import { type ManagerExample, readManagerWeights } from './manager-weights.js';
import { drawingFiles, saveDrawing } from './save-drawing.js';

export interface VisualizeManagerOptions extends ManagerExample {
  readonly out: string;
}

/** `ocelli visualize manager`: the weight of each level of an encoder in front of each layer, drawn and in words. */
export async function visualizeManagerCommand(
  terminal: Terminal,
  source: string,
  { out, ...example }: VisualizeManagerOptions,
): Promise<number> {
  const files = drawingFiles(out);
  try {
    const { meaning, tables } = await readManagerWeights(source, example);
    await saveDrawing(drawHeatmaps(tables.map((table) => heatmapOf(table, meaning))), files);
    terminal.write(`${tables.map((table) => describe(table, meaning)).join('\n\n')}\n\n`);
    for (const file of files) terminal.write(`${file}\n`);
  } finally {
    await closeEngine();
  }
  return exitCodes.success;
}

function heatmapOf({ name, layers, levels, weights }: LevelWeightTable, meaning: string): Heatmap {
  return {
    title: `${name}: ${meaning} of each level`,
    rows: { name: 'in front of layer', labels: layers.map(String) },
    columns: { name: 'level', labels: levels },
    values: weights,
  };
}

/** A table of text, a line per layer. */
export function describe({ name, layers, levels, weights }: LevelWeightTable, meaning: string): string {
  const cells = [
    ['layer', ...levels],
    ...weights.map((row, index) => [
      String(layers[index]),
      ...row.map((value) => (value === null ? '-' : formatCell(value))),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => `  ${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`);
  return [`${name}: ${meaning}`, ...lines].join('\n');
}
