import { type LayerNorm, Module, type Parameter, sliceAxis, type Tensor } from '@ocelli/core-tensor';
import { type LevelWeights, meanWeights } from '../../level-weights.js';
import { type ManagerConfig, type ManagerConfigInput, parseManagerConfig } from './config.js';
import type { Manager, ManagerForwardOptions, ManagerInputs, ManagerWeights } from './manager.js';
import {
  aggregate,
  explorationNoise,
  levelSoftmax,
  managerNorms,
  normalizeInputs,
  scoreParameter,
  temperatureParameter,
  unusedTemperature,
} from './parts.js';

/**
 * Static Aggregation of Unimodal Experts: out = Σᵢ softmaxᵢ(s/τ) ⊙ LNᵢ(Uᵢ) + s_C ⊙ LN_C(C). The softmax is over the
 * levels alone; the weight of the last cross-modal output C is used as it is, and absent in front of the first layer.
 * Source: ManagerTower `src/modules/heads.py`, `SAUE`; Xu et al. 2023, §3.2.
 */
export class StaticUnimodalManager extends Module implements Manager {
  readonly config: ManagerConfig;
  readonly layer_scores: Parameter;
  readonly LayerNorm: readonly LayerNorm[];
  readonly softmax_temperature: Parameter;
  readonly softmax_temperature_cross: Parameter;
  private readonly outputs: number;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ManagerConfigInput = {}) {
    super();
    this.config = parseManagerConfig(config);
    const { levels, layerIndex } = this.config;
    this.outputs = layerIndex === 0 ? 0 : 1;
    const starts = [...new Array<number>(levels).fill(1 / levels), ...new Array<number>(this.outputs).fill(1)];
    this.layer_scores = scoreParameter(starts, this.config);
    this.LayerNorm = managerNorms(levels + this.outputs, this.config);
    this.softmax_temperature = temperatureParameter(this.config);
    this.softmax_temperature_cross = unusedTemperature(this.config);
  }

  /** → [batch, tokens, width] */
  forward(inputs: ManagerInputs, options: ManagerForwardOptions = {}): Tensor {
    const { config, outputs } = this;
    const states = normalizeInputs(inputs, this.LayerNorm, { outputs, config });
    return aggregate(states, this.weightsWith(explorationNoise(inputs.levels, options, config)));
  }

  weights(): ManagerWeights {
    return this.weightsWith(undefined);
  }

  levelWeights(): Promise<LevelWeights> {
    return meanWeights(this.weights());
  }

  private weightsWith(noise: Tensor | undefined): ManagerWeights {
    const { levels } = this.config;
    const scores = sliceAxis(this.layer_scores, 1, 0, levels);
    return {
      levels: levelSoftmax(scores, this.softmax_temperature, noise),
      previous: this.outputs === 0 ? undefined : sliceAxis(this.layer_scores, 1, levels),
    };
  }
}
