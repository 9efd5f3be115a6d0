import { join } from 'node:path';
import {
  type Module,
  type SaveWeightsOptions,
  saveWeights,
  type WrittenCheckpoint,
  writeFileAtomically,
} from '@ocelli/core-tensor';
import type { JsonObject } from './read-json.js';

/** A file beside the weights that tells the structure. */
export interface ConfigFile {
  readonly name: string;
  readonly content: JsonObject;
}

/**
 * Writes weights and the file that tells their structure into a folder.
 *
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveFolder(
  folder: string,
  module: Module,
  { name, content }: ConfigFile,
  options: SaveWeightsOptions,
): Promise<WrittenCheckpoint> {
  const written = await saveWeights(folder, module, options);
  await writeFileAtomically(join(folder, name), `${JSON.stringify(content, undefined, 2)}\n`);
  return written;
}
