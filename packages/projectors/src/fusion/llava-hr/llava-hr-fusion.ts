import { add, Linear, Module, type Tensor } from '@ocelli/core-tensor';
import { gridOf, mapToTokens, requireMaps } from '../feature-maps.js';
import type { Fusion, Grid } from '../fusion.js';
import { alignSlowPath } from './align-slow-path.js';
import { type LlavaHrConfig, type LlavaHrConfigInput, parseLlavaHrConfig } from './config.js';

/**
 * What LLaVA-HR does with its two paths at their ends (Luo et al. 2024, "Feast Your Eyes: Mixture-of-Resolution
 * Adaptation"; `MultiPathAlignModule`). Before, {@link MixtureOfResolutionAdapter}s act between the layers of the fast path.
 *
 * y = W_f F + W_s S′, S′ the slow map on the grid of F
 */
export class LlavaHrFusion extends Module implements Fusion {
  readonly config: LlavaHrConfig;
  readonly fast_proj: Linear;
  readonly slow_proj: Linear;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: LlavaHrConfigInput) {
    super();
    this.config = parseLlavaHrConfig(config);
    const [fast, slow] = this.config.widths;
    this.fast_proj = new Linear(fast, fast);
    this.slow_proj = new Linear(slow, fast);
  }

  get width(): number {
    return this.config.widths[0];
  }

  grid([fast]: readonly Grid[]): Grid {
    return fast!;
  }

  /** fast and slow map → [batch, tokens of the fast map, its width] */
  fuse(featureMaps: readonly Tensor[]): Tensor {
    const [fast, slow] = requireMaps('LlavaHrFusion', featureMaps, this.config.widths) as [Tensor, Tensor];
    const aligned = alignSlowPath(slow, gridOf(fast));
    return add(this.fast_proj.forward(mapToTokens(fast)), this.slow_proj.forward(mapToTokens(aligned)));
  }
}
