import type { CheckpointReader, KeyMap, TensorListing } from '@ocelli/core-tensor';
import { chooseLayout, type TowerLayout } from '../checkpoint/choose-layout.js';
import { type ConvNextLayoutName, convNextKeyMap } from './key-map.js';

/** A ConvNeXt tower in a checkpoint. */
export interface ConvNextLayout extends TowerLayout {
  readonly name: ConvNextLayoutName;
}

/** What towers are known by: the first depthwise convolution. */
const marks = [
  { name: 'huggingFace', mark: 'encoder.stages.0.layers.0.dwconv.weight' },
  { name: 'timm', mark: 'stages.0.blocks.0.conv_dw.weight' },
  { name: 'facebook', mark: 'stages.0.0.dwconv.weight' },
] as const;

/** Every ConvNeXt tower in a checkpoint with these names. */
export function findConvNextLayouts(keys: readonly string[]): ConvNextLayout[] {
  const names = new Set(keys);
  return marks.flatMap(({ name: kind, mark }) =>
    keys.flatMap((key) => {
      const prefix = key.slice(0, -mark.length);
      if (!key.endsWith(mark) || !(prefix === '' || prefix.endsWith('.'))) return [];
      const name = kind === 'timm' ? relativeOfTimm(prefix, names) : kind;
      return [{ name, prefix, keyMap: convNextKeyMap(name, { prefix }) }];
    }),
  );
}

function relativeOfTimm(prefix: string, names: ReadonlySet<string>): ConvNextLayoutName {
  if (names.has(`${prefix}stages.0.blocks.0.weight`)) return 'eagle';
  return prefix.endsWith('visual.trunk.') ? 'openClip' : 'timm';
}

/**
 * The ConvNeXt tower of a checkpoint: by itself, of a classifier or a CLIP model, or of a vision-language model.
 *
 * @param prefix which one, where there are several
 * @throws CheckpointError if there is none, or there are several
 */
export function findConvNextLayout(
  operation: string,
  reader: CheckpointReader,
  prefix: string | undefined,
): ConvNextLayout {
  const layout = chooseLayout(operation, reader, findConvNextLayouts(reader.keys()), {
    expected: `one ConvNeXt tower: a tensor ${marks.map(({ mark }) => mark).join(' or ')}`,
    prefix,
  });
  return { ...layout, keyMap: keyMapFor(layout, reader) };
}

/** The key map for a tower whose linear layers may be stored as 1 × 1 convolutions. */
export function keyMapFor({ name, prefix, keyMap }: ConvNextLayout, listing: TensorListing): KeyMap {
  const first = keyMap.rules
    .find(({ parameter }) => String(parameter).endsWith('.pwconv1.weight'))!
    .key.replaceAll('*', '0');
  const convolutionalFeedForward = listing.keys().includes(first) && listing.info(first).shape.length === 4;
  return convNextKeyMap(name, { prefix, convolutionalFeedForward });
}
