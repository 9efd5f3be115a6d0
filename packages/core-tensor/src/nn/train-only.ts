import type { Module, NamedParameters } from './module.js';
import { namePattern } from './name-pattern.js';

/** Which parameters of a model train, as data: patterns of names, see {@link namePattern}. */
export interface TrainedNames {
  readonly trainable: readonly string[];
  /** Exceptions: parameters that stay as they are although `trainable` names them. Default: none. */
  readonly frozen?: readonly string[] | undefined;
}

/**
 * Trains the named parameters and freezes all others, and returns those that train. State that never trains stays as it
 * is.
 *
 * @throws ConfigError for a pattern that matches no parameter.
 *
 * @example
 * ```ts
 * trainOnly(model, { trainable: ['vision', 'projector'], frozen: ['vision.vision_towers.0'] });
 * ```
 */
export function trainOnly(model: Module, { trainable, frozen = [] }: TrainedNames): NamedParameters {
  model.freeze();
  // Without patterns, both would mean all.
  if (trainable.length > 0) model.unfreeze(...trainable.map(namePattern));
  if (frozen.length > 0) model.freeze(...frozen.map(namePattern));
  return model.trainableParameters();
}
