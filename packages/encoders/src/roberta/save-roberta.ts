import type { SaveWeightsOptions, WrittenCheckpoint } from '@ocelli/core-tensor';
import { saveFolder } from '../checkpoint/save-folder.js';
import { robertaConfigToHuggingFace } from './hugging-face-config.js';
import { robertaForMaskedLmKeyMap, robertaKeyMap } from './key-map.js';
import { RobertaForMaskedLm } from './masked-language-model.js';
import type { Roberta } from './roberta.js';

/** Options of {@link saveRoberta}. */
export type SaveRobertaOptions = Omit<SaveWeightsOptions, 'keyMap'>;

/**
 * Writes an encoder, or one with its head for masked tokens, into a folder: safetensors, and `config.json` of Hugging
 * Face's `RobertaModel` or `RobertaForMaskedLM`.
 *
 * @throws CheckpointError naming the file that cannot be written
 */
export async function saveRoberta(
  folder: string,
  model: Roberta | RobertaForMaskedLm,
  options: SaveRobertaOptions = {},
): Promise<WrittenCheckpoint> {
  const [config, architecture, keyMap] =
    model instanceof RobertaForMaskedLm
      ? ([model.roberta.config, 'RobertaForMaskedLM', robertaForMaskedLmKeyMap] as const)
      : ([model.config, 'RobertaModel', robertaKeyMap] as const);
  const content = { architectures: [architecture], ...robertaConfigToHuggingFace(config) };
  return saveFolder(folder, model, { name: 'config.json', content }, { ...options, keyMap });
}
