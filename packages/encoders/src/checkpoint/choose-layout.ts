import { CheckpointError, type CheckpointReader, type KeyMap } from '@ocelli/core-tensor';

/** Where a tower lies in a checkpoint, and how it is named there. */
export interface TowerLayout {
  /** In front of all its names, for example `model.vision_tower.vision_tower.`; empty at the top. */
  readonly prefix: string;
  readonly keyMap: KeyMap;
}

/**
 * The tower to load, of those that are in a checkpoint.
 *
 * @param expected what a tower is known by, for the error
 * @param prefix which one, where there are several
 * @throws CheckpointError if there is none, or there are several
 */
export function chooseLayout<Layout extends TowerLayout>(
  operation: string,
  reader: CheckpointReader,
  found: readonly Layout[],
  { expected, prefix }: { readonly expected: string; readonly prefix: string | undefined },
): Layout {
  const fitting = found.filter((each) => prefix === undefined || each.prefix === prefix);
  if (fitting.length === 1) return fitting[0]!;
  const some = reader.keys().slice(0, 3).join(', ');
  throw new CheckpointError({
    operation,
    file: reader.files[0],
    expected: prefix === undefined ? expected : `${expected}, under ${JSON.stringify(prefix)}`,
    received:
      fitting.length === 0
        ? `${reader.keys().length} tensors${some === '' ? '' : ` such as ${some}`}`
        : `${fitting.length} of them, under ${fitting.map((each) => JSON.stringify(each.prefix)).join(', ')}`,
    remedy: fitting.length === 0 ? 'Check the path.' : 'Say which one by its prefix.',
  });
}
