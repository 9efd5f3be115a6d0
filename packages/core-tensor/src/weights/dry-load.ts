import { AsyncLocalStorage } from 'node:async_hooks';
import type { Module } from '../nn/module.js';
import type { WeightMatch } from './match-weights.js';

/** What a loader would have loaded into a module. */
export interface DryLoad {
  readonly module: Module;
  readonly match: WeightMatch;
}

const current = new AsyncLocalStorage<DryLoad[]>();

/**
 * Lets a loader find out how a checkpoint fits without loading it: within `load`, `loadWeights` compares names, shapes
 * and dtypes, reads no tensor, and does not mind what does not fit.
 *
 * @returns what `load` returned, whose parameters hold nothing of the checkpoint, and every comparison it made
 *
 * @example
 * ```ts
 * const { result: model, loads } = await dryLoad(() => loadLlama(folder));
 * console.log(model.parameterCount(), describeMismatches(loads[0]!.match));
 * ```
 */
export async function dryLoad<Result>(
  load: () => Promise<Result>,
): Promise<{ result: Result; loads: readonly DryLoad[] }> {
  const loads: DryLoad[] = [];
  return { result: await current.run(loads, load), loads };
}

/** Whether this is within {@link dryLoad}. */
export function isDryLoad(): boolean {
  return current.getStore() !== undefined;
}

/** Notes a comparison; true within {@link dryLoad}. */
export function noteDryLoad(load: DryLoad): boolean {
  return current.getStore()?.push(load) !== undefined;
}
