import { join } from 'node:path';
import { type SaveWeightsOptions, saveWeights, type WrittenCheckpoint, writeFileAtomically } from '@ocelli/core-tensor';
import type { ConvNextTower } from './convnext-tower.js';
import { convNextConfigToHuggingFace } from './hugging-face-config.js';
import { type ConvNextLayoutName, convNextKeyMap } from './key-map.js';
import { convNextConfigToTimm } from './timm-config.js';

/** Options of {@link saveConvNext}. */
export interface SaveConvNextOptions extends Omit<SaveWeightsOptions, 'keyMap'> {
  /** Default: Hugging Face's, which ConvLLaVA has for its towers. */
  readonly layout?: ConvNextLayoutName;
  /** In front of all names. Default: `visual.trunk.` for open_clip, else none. */
  readonly prefix?: string;
}

/**
 * Writes a tower into a folder: safetensors, and a `config.json` of Hugging Face for its layout and of timm for others.
 * There is no pooled norm and no head in it, as in ConvLLaVA's own towers.
 *
 * @throws ConfigError if that library has no such tower (Hugging Face's ε is 10⁻⁶); nothing is written then
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveConvNext(
  folder: string,
  tower: ConvNextTower,
  { layout = 'huggingFace', prefix, ...options }: SaveConvNextOptions = {},
): Promise<WrittenCheckpoint> {
  const config =
    layout === 'huggingFace' ? convNextConfigToHuggingFace(tower.config) : convNextConfigToTimm(tower.config);
  const written = await saveWeights(folder, tower, { ...options, keyMap: convNextKeyMap(layout, { prefix }) });
  await writeFileAtomically(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  return written;
}
