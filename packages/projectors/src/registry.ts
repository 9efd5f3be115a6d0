import { CAbstractor } from './c-abstractor/c-abstractor.js';
import { type CAbstractorConfig, type CAbstractorConfigInput, cAbstractorDefaults } from './c-abstractor/config.js';
import { type DAbstractorConfig, type DAbstractorConfigInput, dAbstractorDefaults } from './d-abstractor/config.js';
import { DAbstractor } from './d-abstractor/d-abstractor.js';
import {
  type LinearProjectorConfig,
  type LinearProjectorConfigInput,
  linearDefaults,
  type MlpProjectorConfig,
  type MlpProjectorConfigInput,
  mlpDefaults,
} from './mlp/config.js';
import { MlpProjector } from './mlp/mlp-projector.js';
import { requireType } from './require-type.js';
import { type ResamplerConfig, type ResamplerConfigInput, resamplerDefaults } from './resampler/config.js';
import { Resampler } from './resampler/resampler.js';

/**
 * Every projector by its id, with what its configuration may leave out, and what it knows of the places of features: `each`
 * token follows from one feature, `square` maps become square maps, or `none`.
 */
export const projectors = {
  linear: { Projector: MlpProjector, defaults: linearDefaults, places: 'each' },
  mlp: { Projector: MlpProjector, defaults: mlpDefaults, places: 'each' },
  resampler: { Projector: Resampler, defaults: resamplerDefaults, places: 'none' },
  'c-abstractor': { Projector: CAbstractor, defaults: cAbstractorDefaults, places: 'square' },
  'd-abstractor': { Projector: DAbstractor, defaults: dAbstractorDefaults, places: 'square' },
} as const;

/** An id under which {@link projectors} has an entry. */
export type ProjectorType = keyof typeof projectors;

/** Structure of any projector; `type` tells which. */
export type ProjectorConfig =
  | LinearProjectorConfig
  | MlpProjectorConfig
  | ResamplerConfig
  | CAbstractorConfig
  | DAbstractorConfig;

/** A {@link ProjectorConfig} whose defaults may be left out; `type` may not. */
export type ProjectorConfigInput =
  | (LinearProjectorConfigInput & { readonly type: 'linear' })
  | (MlpProjectorConfigInput & { readonly type: 'mlp' })
  | (ResamplerConfigInput & { readonly type: 'resampler' })
  | (CAbstractorConfigInput & { readonly type: 'c-abstractor' })
  | (DAbstractorConfigInput & { readonly type: 'd-abstractor' });

/** The class of the projector that a configuration describes. */
export type ProjectorOf<Type extends ProjectorType> = InstanceType<(typeof projectors)[Type]['Projector']>;

/**
 * The projector that a configuration describes, with fresh weights.
 *
 * @throws ConfigError if `type` is unknown (the message lists the known ones) or a field is missing, unknown or invalid
 */
export function createProjector<Config extends ProjectorConfigInput>(config: Config): ProjectorOf<Config['type']> {
  const { type } = config;
  requireType('createProjector', projectors, type);
  const Projector = projectors[type].Projector as new (config: ProjectorConfigInput) => ProjectorOf<Config['type']>;
  return new Projector(config);
}
