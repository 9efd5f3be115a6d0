import { siglipVisionConfigs } from '@ocelli/encoders';
import { llamaConfigs } from '@ocelli/language';
import type { ManagedVisionLanguageConfig } from './config.js';

/** SigLIP without its last layer and its pooling head. */
const vision = {
  ...siglipVisionConfigs['siglip-so400m-patch14-384'],
  numHiddenLayers: 26,
  visionUseHead: false,
};

/**
 * LLaVA-OV-Manager as released, with grids (`Baseline + Grid + Manager`) and without (`Baseline + Manager`). The grids
 * themselves are `PUBLISHED_GRIDS` of `@ocelli/data`. Source: its `scripts/manager/main`.
 */
export const managedModelConfigs = {
  'llava-ov-manager-grid': { vision, language: llamaConfigs['qwen2-0.5b'], managers: {}, imageNewline: true },
  'llava-ov-manager': { vision, language: llamaConfigs['qwen2-0.5b'], managers: {}, imageNewline: false },
} as const satisfies Readonly<Record<string, ManagedVisionLanguageConfig>>;
