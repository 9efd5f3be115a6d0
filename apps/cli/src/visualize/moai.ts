import { closeEngine } from '@ocelli/core-tensor';
import { exitCodes } from '../errors.js';
import type { Terminal } from '../terminal.js';
import { drawHeatmaps } from './heatmap.js';
import { describe } from './manager.js';
import { type GateExample, readGateTables } from './moai-gates.js';
import { drawingFiles, saveDrawing } from './save-drawing.js';

export interface VisualizeMoaiOptions extends GateExample {
  readonly out: string;
}

/** `ocelli visualize moai`: what the gates of each layer give the experts of each modality, drawn and in words. */
export async function visualizeMoaiCommand(
  terminal: Terminal,
  source: string,
  { out, ...example }: VisualizeMoaiOptions,
): Promise<number> {
  const files = drawingFiles(out);
  try {
    const tables = await readGateTables(source, example);
    const maps = tables.map(({ name, layers, levels, weights }) => ({
      title: `${name} tokens: mean gate of each expert`,
      rows: { name: 'layer', labels: layers.map(String) },
      columns: { name: 'expert', labels: levels },
      values: weights,
    }));
    await saveDrawing(drawHeatmaps(maps), files);
    terminal.write(`${tables.map((table) => describe(table, 'mean gate')).join('\n\n')}\n\n`);
    for (const file of files) terminal.write(`${file}\n`);
  } finally {
    await closeEngine();
  }
  return exitCodes.success;
}
