import { concat, Module, type Tensor } from '@ocelli/core-tensor';
import { gridOf, mapToTokens, requireMaps, resizeFeatureMap } from '../feature-maps.js';
import type { Fusion, Grid } from '../fusion.js';
import { type ChannelConcatConfig, type ChannelConcatConfigInput, parseChannelConcatConfig } from './config.js';

/**
 * Channels of all maps side by side on one grid: what Eagle found best (Shi et al. 2024, "Eagle: Exploring The Design
 * Space for Multimodal LLMs with Mixture of Encoders", §2.4). No weights.
 *
 * T = [f₁; f₂; …] at every place
 */
export class ChannelConcat extends Module implements Fusion {
  readonly config: ChannelConcatConfig;
  readonly width: number;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: ChannelConcatConfigInput) {
    super();
    this.config = parseChannelConcatConfig(config);
    this.width = this.config.widths.reduce((sum, width) => sum + width, 0);
  }

  grid([first]: readonly Grid[]): Grid {
    const { grid } = this.config;
    return grid === null ? first! : [grid, grid];
  }

  /** maps → [batch, rows · columns, sum of the widths] */
  fuse(featureMaps: readonly Tensor[]): Tensor {
    const maps = requireMaps('ChannelConcat', featureMaps, this.config.widths);
    const grid = this.grid(maps.map(gridOf));
    return concat(
      maps.map((map) => mapToTokens(resizeFeatureMap(map, grid))),
      2,
    );
  }
}
