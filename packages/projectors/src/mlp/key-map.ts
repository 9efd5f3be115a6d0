import type { KeyMap } from '@ocelli/core-tensor';
import type { LinearProjectorConfig, MlpProjectorConfig } from './config.js';

/** Options of {@link llavaProjectorKeyMap}. */
export interface LlavaKeyMapOptions {
  /** In front of all names. Default: `model.mm_projector.`, as in LLaVA's models and its `mm_projector.bin`. */
  readonly prefix?: string;
}

/**
 * The names of a projector in the checkpoints of LLaVA, ConvLLaVA and Eagle: `model.mm_projector.0.weight`, `….2.weight`,
 * … of an MLP, `model.mm_projector.weight` of a linear one. Tensors outside of the prefix are ignored.
 */
export function llavaProjectorKeyMap(
  { type }: Pick<LinearProjectorConfig | MlpProjectorConfig, 'type'>,
  { prefix = 'model.mm_projector.' }: LlavaKeyMapOptions = {},
): KeyMap {
  const [stored, own] = type === 'linear' ? [prefix, 'net.0.'] : [`${prefix}*.`, 'net.*.'];
  const outside = new RegExp(`^(?!${prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')})`);
  return {
    rules: ['weight', 'bias'].map((end) => ({ key: `${stored}${end}`, parameter: `${own}${end}` })),
    ignore: prefix === '' ? [] : [outside],
  };
}
