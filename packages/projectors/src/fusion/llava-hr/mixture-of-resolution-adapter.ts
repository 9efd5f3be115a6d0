import {
  add,
  Conv2d,
  concat,
  gelu,
  initializers,
  Linear,
  Module,
  mean,
  mul,
  reshape,
  type Tensor,
  tanh,
} from '@ocelli/core-tensor';
import { gridOf, mapToTokens, requireMaps } from '../feature-maps.js';
import { alignSlowPath } from './align-slow-path.js';

/**
 * Adds what a slow path sees at high resolution to the tokens between two layers of a fast one (Luo et al. 2024, "Feast
 * Your Eyes: Mixture-of-Resolution Adaptation", §3.3; `S2FStitchAlignModuleV2`). At first it changes nothing.
 *
 * F′ = m + g·s, m = F + Conv(GELU(DWConv(F))), s = Conv(GELU(Conv(S))), g = tanh(MLP(mean [m, s])), one g an image
 */
export class MixtureOfResolutionAdapter extends Module {
  readonly slow_conv: Conv2d;
  readonly slow_proj: Conv2d;
  readonly fast_conv: Conv2d;
  readonly fast_proj: Conv2d;
  readonly gate: { readonly 0: Linear; readonly 2: Linear };
  private readonly widths: readonly [number, number];

  /** @param fastWidth of the tokens, and @param slowWidth of the map */
  constructor(fastWidth: number, slowWidth: number) {
    super();
    const first = { initializer: initializers.xavierUniform() };
    const second = { initializer: initializers.zeros };
    this.slow_conv = new Conv2d(slowWidth, slowWidth, 1, first);
    this.slow_proj = new Conv2d(slowWidth, fastWidth, 1, second);
    this.fast_conv = new Conv2d(fastWidth, fastWidth, 7, { groups: fastWidth, padding: 3, ...first });
    this.fast_proj = new Conv2d(fastWidth, fastWidth, 1, second);
    const hidden = Math.floor(fastWidth / 2);
    this.gate = { 0: new Linear(2 * fastWidth, hidden), 2: new Linear(hidden, 1) };
    this.widths = [fastWidth, slowWidth];
  }

  /**
   * fast [batch, tokens, fastWidth] of a square grid (or a map) and slow [batch, slowWidth, rows, columns] →
   * [batch, tokens, fastWidth]
   *
   * @throws ShapeError if these do not fit the widths, or their grids each other
   */
  forward(fast: Tensor, slow: Tensor): Tensor {
    const [map, high] = requireMaps('MixtureOfResolutionAdapter', [fast, slow], this.widths) as [Tensor, Tensor];
    const seen = this.slow_proj.forward(gelu(this.slow_conv.forward(high)));
    const aligned = alignSlowPath(seen, gridOf(map));
    const own = add(map, this.fast_proj.forward(gelu(this.fast_conv.forward(map))));
    const means = mean(concat([own, aligned], 1), { axes: [2, 3] }); // [batch, 2 · fastWidth]
    const gate = tanh(this.gate[2].forward(gelu(this.gate[0].forward(means)))); // [batch, 1]
    const batch = gate.shape[0]!;
    return mapToTokens(add(own, mul(reshape(gate, [batch, 1, 1, 1]), aligned)));
  }
}
