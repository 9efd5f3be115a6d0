import { ConfigError } from '@ocelli/core-tensor';
import type { ConvNextConfig } from './config.js';

/** Where training begins. */
export interface TrainedFrom {
  /** Index of the first stage that trains, from 0. ConvLLaVA's "from stage 3" is 2. */
  readonly stage: number;
  /** First block of that stage that trains; its downsampling layer trains only if this is 0. Default: 0. */
  readonly block?: number;
}

/**
 * Patterns for `unfreeze` of the parameters from a stage, or a block in it, to the end of the tower; the stem is in none.
 * Source: ConvLLaVA `make_layers_trainable_after_stage`.
 *
 * @example
 * ```ts
 * tower.freeze().unfreeze(...convNextStagesFrom(tower.config, { stage: 2 }));
 * ```
 * @throws ConfigError if the tower has no such stage or block
 */
export function convNextStagesFrom({ depths }: ConvNextConfig, { stage, block = 0 }: TrainedFrom): string[] {
  requireIndex('stage', stage, depths.length);
  requireIndex('block', block, depths[stage]!);
  const path = (index: number) => `encoder.stages.${index}`;
  const blocks = Array.from({ length: depths[stage]! - block }, (_, each) => `${path(stage)}.layers.${block + each}`);
  const first = block === 0 ? [path(stage)] : blocks;
  return [...first, ...depths.slice(stage + 1).map((_, each) => path(stage + 1 + each))];
}

function requireIndex(name: string, value: number, count: number): void {
  if (Number.isInteger(value) && value >= 0 && value < count) return;
  throw new ConfigError({
    operation: 'convNextStagesFrom',
    expected: `${name} as an index from 0 to ${count - 1}`,
    received: String(value),
  });
}
