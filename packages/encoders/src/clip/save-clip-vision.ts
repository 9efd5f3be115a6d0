import type { SaveWeightsOptions, WrittenCheckpoint } from '@ocelli/core-tensor';
import { saveFolder } from '../checkpoint/save-folder.js';
import type { ClipVisionTower } from './clip-vision-tower.js';
import { clipVisionConfigToHuggingFace } from './hugging-face-config.js';
import { clipVisionKeyMap, openaiClipVisionKeyMap } from './key-map.js';
import { clipVisionConfigToOpenClip } from './open-clip-config.js';

/** Options of {@link saveClipVision}. */
export interface SaveClipVisionOptions extends Omit<SaveWeightsOptions, 'keyMap'> {
  /** Names and packing of the tensors; that of OpenAI is also open_clip's. Default: that of Hugging Face. */
  readonly layout?: 'huggingFace' | 'openai';
}

/**
 * Writes a tower into a folder: safetensors, and `config.json` of Hugging Face's `CLIPVisionModel`, or (in the layout of
 * OpenAI) `open_clip_config.json` with the image side only.
 *
 * @throws ConfigError if open_clip has no such tower; nothing is written then
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveClipVision(
  folder: string,
  tower: ClipVisionTower,
  { layout = 'huggingFace', ...options }: SaveClipVisionOptions = {},
): Promise<WrittenCheckpoint> {
  const [keyMap, file] =
    layout === 'openai'
      ? [openaiClipVisionKeyMap, { name: 'open_clip_config.json', content: clipVisionConfigToOpenClip(tower.config) }]
      : [clipVisionKeyMap, { name: 'config.json', content: clipVisionConfigToHuggingFace(tower.config) }];
  return saveFolder(folder, tower, file, { ...options, keyMap });
}
