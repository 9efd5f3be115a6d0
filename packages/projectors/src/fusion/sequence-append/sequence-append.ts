import { concat, Module, type Tensor } from '@ocelli/core-tensor';
import { Mlp } from '../../mlp/mlp.js';
import { mapToTokens, requireMaps, resizeFeatureMap } from '../feature-maps.js';
import type { Fusion, Grid } from '../fusion.js';
import { parseSequenceAppendConfig, type SequenceAppendConfig, type SequenceAppendConfigInput } from './config.js';

/**
 * Tokens of all maps one after the other, each map through a projector of its own (Shi et al. 2024, "Eagle", §2.4). The
 * tokens have the language model's width: what follows is a projector that changes nothing, `mlp` of depth 0.
 *
 * T = [P₁(f₁); P₂(f₂); …] along the sequence
 */
export class SequenceAppend extends Module implements Fusion {
  readonly config: SequenceAppendConfig;
  readonly projectors: readonly Mlp[];

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: SequenceAppendConfigInput) {
    super();
    this.config = parseSequenceAppendConfig(config);
    const { widths, outputWidth, depth } = this.config;
    this.projectors = widths.map((width) => new Mlp(depth, width, outputWidth, { activation: 'gelu' }));
  }

  get width(): number {
    return this.config.outputWidth;
  }

  grid(grids: readonly Grid[]): Grid {
    const { grid } = this.config;
    const own = grids.map((each): Grid => (grid === null ? each : [grid, grid]));
    const [, columns] = own[0]!;
    const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
    return own.every((each) => each[1] === columns)
      ? [sum(own.map(([rows]) => rows)), columns]
      : [sum(own.map(([rows, wide]) => rows * wide)), 1];
  }

  /** maps → [batch, tokens of all maps, outputWidth] */
  fuse(featureMaps: readonly Tensor[]): Tensor {
    const { widths, grid } = this.config;
    const maps = requireMaps('SequenceAppend', featureMaps, widths);
    const sequences = maps.map((map, index) => {
      const resized = grid === null ? map : resizeFeatureMap(map, [grid, grid]);
      return this.projectors[index]!.forward(mapToTokens(resized));
    });
    return concat(sequences, 1);
  }
}
