import {
  ConfigError,
  type Module,
  matchesName,
  type NamedParameters,
  namePattern,
  trainOnly,
} from '@ocelli/core-tensor';
import type { StageGroup, TrainingStage } from './training-stage.js';

/** Parameters that train with one peak learning rate. */
export interface AppliedGroup {
  readonly learningRate: number;
  readonly parameters: NamedParameters;
}

/**
 * Makes a model train what a stage trains, freezes all else, and returns the trained parameters by their peak learning
 * rate, the stage's own first.
 *
 * @throws ConfigError for a pattern that matches no parameter, and for a stage that would train none
 *
 * @example
 * ```ts
 * const [alignment, tuning] = eagleTrainingStages();
 * applyStage(model, alignment);
 * ```
 */
export function applyStage(
  model: Module,
  stage: Pick<TrainingStage, 'name' | 'trainable' | 'frozen' | 'learningRate' | 'groups'>,
): AppliedGroup[] {
  const trained = Object.entries(trainOnly(model, stage));
  if (trained.length === 0) {
    throw new ConfigError({
      operation: `applyStage (${stage.name})`,
      expected: 'patterns that leave parameters to train',
      received: `trainable ${stage.trainable.join(', ')}; frozen ${stage.frozen?.join(', ') ?? 'none'}`,
      remedy: 'Name a part that is not frozen.',
    });
  }
  const groups = stage.groups ?? [];
  for (const group of groups) requireMatch(stage.name, group, Object.keys(model.namedParameters()));
  const byRate = new Map<number, NamedParameters>([[stage.learningRate, {}]]);
  for (const [name, parameter] of trained) {
    const rate = groups.find((group) => isIn(group, name))?.learningRate ?? stage.learningRate;
    if (!byRate.has(rate)) byRate.set(rate, {});
    byRate.get(rate)![name] = parameter;
  }
  return [...byRate]
    .map(([learningRate, parameters]) => ({ learningRate, parameters }))
    .filter(({ parameters }) => Object.keys(parameters).length > 0);
}

function isIn({ parameters }: StageGroup, name: string): boolean {
  return parameters.some((text) => matchesName(name, namePattern(text)));
}

function requireMatch(stage: string, group: StageGroup, names: readonly string[]): void {
  if (names.some((name) => isIn(group, name))) return;
  throw new ConfigError({
    operation: `applyStage (${stage})`,
    expected: 'every group to match a parameter',
    received: `one for ${group.parameters.join(', ')}, which matches none`,
    remedy: `The first parameters are ${names.slice(0, 5).join(', ')}.`,
  });
}
