import { add, attention, Module, reshape, ShapeError, type Tensor, transpose } from '@ocelli/core-tensor';
import { gridOf, mapToTokens, requireMaps } from '../feature-maps.js';
import type { Fusion, Grid } from '../fusion.js';
import { NormedLinear } from '../normed-linear.js';
import { type MiniGeminiConfig, type MiniGeminiConfigInput, parseMiniGeminiConfig } from './config.js';

/**
 * Every token of a map of low resolution attends to the cells that it covers in one of high resolution (Li et al. 2024,
 * "Mini-Gemini", §3.2, patch info mining; `mgm/model/mgm_arch.py`). One head, no projection behind it.
 *
 * T = L + softmax(q·kᵀ / √c) v over the window, q = Lin(LN(L)), k and v = Lin(LN(A))
 *
 * Where `miningWidth` is not the width of L, T = q + …, as L cannot be added.
 */
export class MiniGeminiFusion extends Module implements Fusion {
  readonly config: MiniGeminiConfig;
  readonly vlm_uni_query_projector: NormedLinear;
  readonly vlm_uni_aux_projector: NormedLinear;
  readonly vlm_uni_val_projector: NormedLinear;

  /** @throws ConfigError that names every missing, unknown or invalid field */
  constructor(config: MiniGeminiConfigInput) {
    super();
    this.config = parseMiniGeminiConfig(config);
    const [low, high] = this.config.widths;
    this.vlm_uni_query_projector = new NormedLinear(low, this.width);
    this.vlm_uni_aux_projector = new NormedLinear(high, this.width);
    this.vlm_uni_val_projector = new NormedLinear(high, this.width);
  }

  get width(): number {
    return this.config.miningWidth ?? this.config.widths[0];
  }

  grid([low]: readonly Grid[]): Grid {
    return low!;
  }

  /** low and high map → [batch, tokens of the low map, width] */
  fuse(featureMaps: readonly Tensor[]): Tensor {
    const [low] = requireMaps('MiniGeminiFusion', featureMaps, this.config.widths) as [Tensor, Tensor];
    const tokens = mapToTokens(low);
    const kept = this.width === this.config.widths[0] ? tokens : this.vlm_uni_query_projector.forward(tokens);
    return add(kept, this.mine(featureMaps));
  }

  /**
   * What the windows add to the tokens; arguments and shape of the result as of {@link fuse}.
   *
   * @throws ShapeError also if a window is no whole number of cells
   */
  mine(featureMaps: readonly Tensor[]): Tensor {
    const [low, high] = requireMaps('MiniGeminiFusion', featureMaps, this.config.widths) as [Tensor, Tensor];
    const { width } = this;
    const [batch, , rows, columns] = low.shape as [number, number, number, number];
    const [height, across] = gridOf(high).map((length, axis) => length / gridOf(low)[axis]!) as [number, number];
    if (!Number.isInteger(height) || !Number.isInteger(across)) {
      throw new ShapeError({
        operation: 'MiniGeminiFusion',
        expected: `a high map of a multiple of ${rows} × ${columns} cells`,
        received: gridOf(high).join(' × '),
        remedy: 'Choose image sizes whose grids go together, or resize the map with resizeFeatureMap.',
      });
    }
    const windows = batch * rows * columns;
    const inWindows = (projection: NormedLinear) => {
      const cells = projection.forward(mapToTokens(high)); // [batch, cells, width]
      const split = reshape(cells, [batch, rows, height, columns, across, width]);
      return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [windows, 1, height * across, width]);
    };
    const queries = reshape(this.vlm_uni_query_projector.forward(mapToTokens(low)), [windows, 1, 1, width]);
    const mined = attention(queries, inWindows(this.vlm_uni_aux_projector), inWindows(this.vlm_uni_val_projector));
    return reshape(mined, [batch, rows * columns, width]);
  }
}
