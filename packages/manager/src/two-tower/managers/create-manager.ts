import { AdaptiveUnimodalManager } from './adaptive-unimodal-manager.js';
import { ConcatAttentionManager } from './concat-attention-manager.js';
import { type ManagerConfig, type ManagerConfigInput, type ManagerType, parseManagerConfig } from './config.js';
import { CrossAttentionManager } from './cross-attention-manager.js';
import type { Manager } from './manager.js';
import { StaticManager } from './static-manager.js';
import { StaticUnimodalManager } from './static-unimodal-manager.js';

const managers: Readonly<Record<ManagerType, new (config: ManagerConfig) => Manager>> = {
  static: StaticManager,
  'static-unimodal': StaticUnimodalManager,
  'adaptive-unimodal': AdaptiveUnimodalManager,
  'concat-attention': ConcatAttentionManager,
  'cross-attention': CrossAttentionManager,
};

/**
 * The manager that a configuration describes, with fresh weights. In front of the first cross-modal layer, where there
 * is nothing to predict weights from, every type is a {@link StaticUnimodalManager}.
 *
 * @throws ConfigError that names every unknown or invalid field
 */
export function createManager(config: ManagerConfigInput): Manager {
  const parsed = parseManagerConfig(config);
  return new managers[parsed.layerIndex === 0 ? 'static-unimodal' : parsed.type](parsed);
}
