import type { KeyMap } from '@ocelli/core-tensor';

/**
 * A key map for a module that is a part of a bigger checkpoint: names outside of the part are ignored, names in it are
 * checked as usual.
 *
 * @param prefix in front of every name of the part, for example `model.vision_tower.vision_tower.`; may be empty
 * @param roots what the names of the part begin with after it, for example `vision_model.`
 */
export function atPrefix(keyMap: KeyMap, prefix: string, ...roots: readonly string[]): KeyMap {
  // With or without the prefix: the patterns see names before and after it is taken off.
  const elsewhere = new RegExp(`^(?!(${escaped(prefix)})?(${roots.map(escaped).join('|')}))`);
  return {
    ...keyMap,
    prefixes: [...(keyMap.prefixes ?? []), ...(prefix === '' ? [] : [prefix])],
    ignore: [...(keyMap.ignore ?? []), elsewhere],
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
