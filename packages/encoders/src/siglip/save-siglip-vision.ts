import type { SaveWeightsOptions, WrittenCheckpoint } from '@ocelli/core-tensor';
import { saveFolder } from '../checkpoint/save-folder.js';
import { siglipVisionConfigToHuggingFace } from './hugging-face-config.js';
import { siglipVisionKeyMap } from './key-map.js';
import type { SiglipVisionTower } from './siglip-vision-tower.js';

/** Options of {@link saveSiglipVision}. */
export type SaveSiglipVisionOptions = Omit<SaveWeightsOptions, 'keyMap'>;

/**
 * Writes a tower into a folder: safetensors, and `config.json` of Hugging Face's `SiglipVisionModel`.
 *
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveSiglipVision(
  folder: string,
  tower: SiglipVisionTower,
  options: SaveSiglipVisionOptions = {},
): Promise<WrittenCheckpoint> {
  const file = { name: 'config.json', content: siglipVisionConfigToHuggingFace(tower.config) };
  return saveFolder(folder, tower, file, { ...options, keyMap: siglipVisionKeyMap });
}
