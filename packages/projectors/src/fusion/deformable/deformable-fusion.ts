import { add, broadcastTo, concat, Module, type Tensor, tensor } from '@ocelli/core-tensor';
import { DeformableAttention } from '../../deformable-attention/deformable-attention.js';
import { gridOf, mapToTokens, requireMaps } from '../feature-maps.js';
import type { Fusion, Grid } from '../fusion.js';
import { NormedLinear } from '../normed-linear.js';
import {
  type DeformableFusionConfig,
  type DeformableFusionConfigInput,
  parseDeformableFusionConfig,
} from './config.js';

/**
 * Mini-Gemini's fusion with {@link DeformableAttention} in place of the windows (Shi et al. 2024, "Eagle", §2.4, baseline).
 * Eagle did not publish its own: norms, projections, residual and the references, which are the centres of the tokens,
 * are chosen here. The maps that are looked at may have any size, and there may be several.
 *
 * T = L + DeformableAttention(Lin(LN(L)), centres, Lin(LN(A)))
 */
export class DeformableFusion extends Module implements Fusion {
  readonly config: DeformableFusionConfig;
  readonly query_proj: NormedLinear;
  /** One for each map that is looked at. */
  readonly value_proj: readonly NormedLinear[];
  readonly attention: DeformableAttention;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: DeformableFusionConfigInput) {
    super();
    this.config = parseDeformableFusionConfig(config);
    const { widths, numAttentionHeads: heads, numPoints: points } = this.config;
    const [width, ...others] = widths as readonly [number, ...number[]];
    this.query_proj = new NormedLinear(width, width);
    this.value_proj = others.map((other) => new NormedLinear(other, width));
    this.attention = new DeformableAttention({ width, heads, points, levels: others.length });
  }

  get width(): number {
    return this.config.widths[0]!;
  }

  grid([first]: readonly Grid[]): Grid {
    return first!;
  }

  /** maps → [batch, tokens of the first map, its width] */
  fuse(featureMaps: readonly Tensor[]): Tensor {
    const maps = requireMaps('DeformableFusion', featureMaps, this.config.widths);
    const [low, ...others] = maps as [Tensor, ...Tensor[]];
    const tokens = mapToTokens(low);
    const values = others.map((map, level) => this.value_proj[level]!.forward(mapToTokens(map)));
    const references = centres(gridOf(low), low.shape[0]!, others.length);
    const { output } = this.attention.forward(
      this.query_proj.forward(tokens),
      references,
      concat(values, 1),
      others.map(gridOf),
    );
    return add(tokens, output);
  }
}

/** (x, y) of the centres of a grid's cells, row by row: [batch, rows · columns, levels, 2] */
function centres([rows, columns]: Grid, batch: number, levels: number): Tensor {
  const points = Array.from({ length: rows * columns }, (_, cell) => [
    ((cell % columns) + 0.5) / columns,
    (Math.floor(cell / columns) + 0.5) / rows,
  ]);
  const table = tensor(Float32Array.from(points.flat()), [1, rows * columns, 1, 2]);
  return broadcastTo(table, [batch, rows * columns, levels, 2]);
}
