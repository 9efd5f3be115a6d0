import { ConfigError, type KeyMap, type Module } from '@ocelli/core-tensor';
import type { VisionLanguageConfig } from './config.js';
import type { ManagedVisionLanguageConfig } from './managed/config.js';
import { managedModelKeyMap } from './managed/key-map.js';
import { ManagedVisionLanguageModel } from './managed/managed-model.js';
import type { MoaiConfigInput } from './moai/config.js';
import { moaiKeyMap } from './moai/key-map.js';
import { MoaiModel } from './moai/moai-model.js';
import type { TwoTowerConfig } from './two-tower/config.js';
import { twoTowerKeyMap } from './two-tower/key-map.js';
import { TwoTowerModel } from './two-tower/two-tower-model.js';
import { VisionLanguageModel } from './vision-language-model.js';

/** Every assembled model by its kind: how it is made of its configuration, and its published names where there are any. */
export const modelKinds = {
  'vision-language': {
    Model: VisionLanguageModel,
    create: (config: VisionLanguageConfig) => new VisionLanguageModel(config),
    publishedNames: undefined,
  },
  managed: {
    Model: ManagedVisionLanguageModel,
    create: (config: ManagedVisionLanguageConfig) => new ManagedVisionLanguageModel(config),
    publishedNames: managedModelKeyMap,
  },
  moai: {
    Model: MoaiModel,
    create: (config: MoaiConfigInput) => new MoaiModel(config),
    publishedNames: moaiKeyMap,
  },
  'two-tower': {
    Model: TwoTowerModel,
    create: (config: TwoTowerConfig) => new TwoTowerModel(config),
    publishedNames: twoTowerKeyMap,
  },
} as const;

/** An id under which {@link modelKinds} has an entry. */
export type ModelKind = keyof typeof modelKinds;

/** The class of the models of a kind. */
export type ModelOf<Kind extends ModelKind> = InstanceType<(typeof modelKinds)[Kind]['Model']>;

/** Any assembled model. */
export type AssembledModel = ModelOf<ModelKind>;

/** The kind of a model. */
export function modelKindOf(model: AssembledModel): ModelKind {
  return (Object.keys(modelKinds) as ModelKind[]).find((kind) => model instanceof modelKinds[kind].Model)!;
}

/**
 * The model that a configuration describes, with fresh weights.
 *
 * @throws ConfigError if the kind is unknown (the message lists the known ones), or the configuration is invalid
 */
export function createModelOf<Kind extends ModelKind>(
  kind: Kind,
  config: Parameters<(typeof modelKinds)[Kind]['create']>[0],
): ModelOf<Kind> {
  if (!Object.hasOwn(modelKinds, kind)) {
    throw new ConfigError({
      operation: 'create model',
      expected: `a type among ${Object.keys(modelKinds).join(', ')}`,
      received: JSON.stringify(kind) ?? 'none',
    });
  }
  const create = modelKinds[kind].create as (config: unknown) => ModelOf<Kind>;
  return create(config);
}

/**
 * Names of a model's tensors in the checkpoints that were published of its kind.
 *
 * @throws ConfigError if none were
 */
export function publishedNamesOf(model: AssembledModel): KeyMap {
  const kind = modelKindOf(model);
  const names = modelKinds[kind].publishedNames as ((model: Module) => KeyMap) | undefined;
  if (names) return names(model);
  throw new ConfigError({
    operation: 'published names',
    expected: 'a model of a kind with checkpoints of one layout: managed, moai or two-tower',
    received: kind,
    remedy: 'Save it under its own names; key maps of the parts are for loadWeights and saveWeights.',
  });
}
