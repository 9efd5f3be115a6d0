import { ConfigError, type KeyMap, type TensorListing } from '@ocelli/core-tensor';
import { type ConvNextConfig, convNextConfigs, parseConvNextConfig } from './config.js';
import { escaped } from './key-map.js';

/**
 * The structure of a tower from the shapes of its tensors, where no file tells it: what shapes cannot tell, ε above all,
 * is as in the published tower of the same depths and widths.
 *
 * @throws ConfigError if no published tower has them
 */
export function convNextConfigFromWeights(operation: string, listing: TensorListing, keyMap: KeyMap): ConvNextConfig {
  const keyOf = (parameter: string) => keyMap.rules.find((rule) => rule.parameter === parameter)!.key;
  const blockKey = keyOf('encoder.stages.*.layers.*.dwconv.weight');
  const pattern = new RegExp(`^${escaped(blockKey).replaceAll('\\*', '(\\d+)')}$`);
  const depths: number[] = [];
  const hiddenSizes: number[] = [];
  let kernelSize = 0;
  for (const key of listing.keys()) {
    const [, stage, block] = pattern.exec(key)?.map(Number) ?? [];
    if (stage === undefined || block === undefined) continue;
    const [width = 0, , kernel = 0] = listing.info(key).shape;
    depths[stage] = Math.max(depths[stage] ?? 0, block + 1);
    hiddenSizes[stage] = width;
    kernelSize = kernel;
  }
  const stem = keyOf('embeddings.patch_embeddings.weight');
  const [, numChannels = 0, patchSize = 0] = listing.keys().includes(stem) ? listing.info(stem).shape : [];
  const published = Object.values<ConvNextConfig>(convNextConfigs).find(
    (each) => each.depths.join() === depths.join() && each.hiddenSizes.join() === hiddenSizes.join(),
  );
  if (published) return parseConvNextConfig({ ...published, numChannels, patchSize, kernelSize, dropPathRate: 0 });
  throw new ConfigError({
    operation,
    expected: 'a config.json, an open_clip_config.json, or the depths and widths of a published tower',
    received: `depths ${depths.join(', ')} of widths ${hiddenSizes.join(', ')}`,
    remedy: 'Give the configuration of the tower.',
  });
}
