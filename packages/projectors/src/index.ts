export { CAbstractor } from './c-abstractor/c-abstractor.js';
export { type CAbstractorConfig, type CAbstractorConfigInput, parseCAbstractorConfig } from './c-abstractor/config.js';
export { RegNetStage } from './c-abstractor/regnet-stage.js';
export {
  type LinearProjectorConfig,
  type LinearProjectorConfigInput,
  type MlpProjectorConfig,
  type MlpProjectorConfigInput,
  parseLinearProjectorConfig,
  parseMlpProjectorConfig,
} from './mlp/config.js';
export { LinearProjector, MlpProjector } from './mlp/mlp-projector.js';
export type { Projector, ProjectorForwardOptions } from './projector.js';
export {
  createProjector,
  type ProjectorConfig,
  type ProjectorConfigInput,
  type ProjectorOf,
  type ProjectorType,
  projectors,
} from './registry.js';
export { parseResamplerConfig, type ResamplerConfig, type ResamplerConfigInput } from './resampler/config.js';
export { Resampler } from './resampler/resampler.js';
export { withoutClassPosition } from './shared.js';
