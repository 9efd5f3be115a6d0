import { Module, mul, Parameter, sliceAxis, sum, type Tensor } from '@ocelli/core-tensor';
import {
  jittered,
  jitterRange,
  type ResidualManager,
  type ResidualManagerConfig,
  type ResidualManagerInputs,
  type ResidualManagerOptions,
} from './residual-manager.js';

/**
 * Adds Σᵢ Wᵢ ⊙ Fᵢ with learned W that start at zero: no norm, no softmax, so that a fresh manager changes nothing.
 * Source: LLaVA-OV-Manager `llava/model/manager/manager.py`, `StaticManagerZeroInit`.
 */
export class StaticResidualManager extends Module implements ResidualManager {
  readonly layer_scores: Parameter;

  constructor(readonly config: ResidualManagerConfig) {
    super();
    this.layer_scores = new Parameter([1, config.levels, 1, config.hiddenSize]);
  }

  /** Of more levels than there are weights the first ones count. → [batch, tokens, width] */
  forward({ levels }: ResidualManagerInputs, options: ResidualManagerOptions = {}): Tensor {
    const { jitter, levels: count } = this.config;
    const given = levels.shape[1] === count ? levels : sliceAxis(levels, 1, 0, count);
    const weights =
      jitter === 'weights' ? jittered(this.layer_scores, jitterRange.weights, options) : this.layer_scores;
    const output = sum(mul(weights, given), { axes: 1 });
    return jitter === 'output' ? jittered(output, jitterRange.output, options) : output;
  }

  weights(): Tensor {
    return this.layer_scores;
  }
}
