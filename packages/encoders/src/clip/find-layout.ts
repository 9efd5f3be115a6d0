import type { CheckpointReader } from '@ocelli/core-tensor';
import { atPrefix } from '../checkpoint/at-prefix.js';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { clipVisionKeyMap, openaiClipVisionKeyMap } from './key-map.js';

/** A CLIP vision tower in a checkpoint. */
export interface ClipVisionLayout extends TowerLayout {
  readonly name: 'Hugging Face' | 'OpenAI';
}

/** What towers are known by: the class token, which no other tower has under such a name. */
const marks = [
  {
    name: 'Hugging Face',
    mark: /^(.*?)vision_model\.embeddings\.class_embedding$/,
    root: 'vision_model.',
    keyMap: clipVisionKeyMap,
  },
  { name: 'OpenAI', mark: /^(.*?)visual\.class_embedding$/, root: 'visual.', keyMap: openaiClipVisionKeyMap },
] as const;

/** Every CLIP vision tower in a checkpoint with these names. */
export function findClipVisionLayouts(keys: readonly string[]): ClipVisionLayout[] {
  return marks.flatMap(({ name, mark, root, keyMap }) =>
    keys.flatMap((key) => {
      const prefix = mark.exec(key)?.[1];
      return prefix === undefined ? [] : [{ name, prefix, keyMap: atPrefix(keyMap, prefix, root) }];
    }),
  );
}

/**
 * The CLIP vision tower of a checkpoint: by itself, of a whole CLIP model, or of a vision-language model.
 *
 * @param prefix which one, where there are several
 * @throws CheckpointError if there is none, or there are several
 */
export function findClipVisionLayout(
  operation: string,
  reader: CheckpointReader,
  prefix: string | undefined,
): ClipVisionLayout {
  return chooseLayout(operation, reader, findClipVisionLayouts(reader.keys()), {
    expected:
      'one CLIP vision tower: a tensor vision_model.embeddings.class_embedding (Hugging Face) or visual.class_embedding (OpenAI, open_clip)',
    prefix,
  });
}
