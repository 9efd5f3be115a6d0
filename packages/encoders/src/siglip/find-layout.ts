import type { CheckpointReader } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { siglipVisionKeyMap } from './key-map.js';

/** What a tower is known by: patches with a bias, where CLIP has none. */
const mark = /^(.*?)vision_model\.embeddings\.patch_embedding\.bias$/;

/** Every SigLIP vision tower in a checkpoint with these names. */
export function findSiglipVisionLayouts(keys: readonly string[]): TowerLayout[] {
  return keys.flatMap((key) => {
    const prefix = mark.exec(key)?.[1];
    return prefix === undefined ? [] : [{ prefix, keyMap: atPrefix(siglipVisionKeyMap, prefix, 'vision_model.') }];
  });
}

/**
 * The SigLIP vision tower of a checkpoint: by itself, of a whole SigLIP model, or of a vision-language model.
 *
 * @param prefix which one, where there are several
 * @throws CheckpointError if there is none, or there are several
 */
export function findSiglipVisionLayout(
  operation: string,
  reader: CheckpointReader,
  prefix: string | undefined,
): TowerLayout {
  return chooseLayout(operation, reader, findSiglipVisionLayouts(reader.keys()), {
    expected: 'one SigLIP vision tower: a tensor vision_model.embeddings.patch_embedding.bias',
    prefix,
  });
}
