import {
  add,
  broadcastTo,
  concat,
  type LayerNorm,
  Module,
  type Parameter,
  sliceAxis,
  type Tensor,
} from '@ocelli/core-tensor';
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
} from './parts.js';

/**
 * Static Aggregation of Experts: weights of all levels, and of the outputs of *all* earlier cross-modal layers:
 * out = Σᵢ Wᵢ ⊙ LN(Uᵢ) + Σⱼ W_{N+j} ⊙ LN(Cⱼ). `separate` has one softmax for levels and one for outputs, each with its
 * temperature and equal first weights; `joint` has a single one. Not released; from Xu et al. 2025, §III-B and App. B.
 */
export class StaticManager extends Module implements Manager {
  readonly config: ManagerConfig;
  readonly layer_scores: Parameter;
  readonly LayerNorm: readonly LayerNorm[];
  readonly softmax_temperature: Parameter;
  readonly softmax_temperature_cross: Parameter | undefined;

  /** @throws ConfigError that names every unknown or invalid field */
  constructor(config: ManagerConfigInput = {}) {
    super();
    this.config = parseManagerConfig({ type: 'static', ...config });
    const { levels, layerIndex, staticSoftmax } = this.config;
    const isSeparate = staticSoftmax === 'separate';
    const entries = levels + layerIndex;
    const starts = Array.from({ length: entries }, (_, index) => {
      if (!isSeparate) return 1 / entries;
      return index < levels ? 1 / levels : 1 / layerIndex;
    });
    this.layer_scores = scoreParameter(starts, this.config);
    this.LayerNorm = managerNorms(entries, this.config);
    this.softmax_temperature = temperatureParameter(this.config);
    this.softmax_temperature_cross = isSeparate && layerIndex > 0 ? temperatureParameter(this.config) : undefined;
  }

  /** → [batch, tokens, width] */
  forward(inputs: ManagerInputs, options: ManagerForwardOptions = {}): Tensor {
    const { config } = this;
    const states = normalizeInputs(inputs, this.LayerNorm, { outputs: config.layerIndex, config });
    return aggregate(states, this.weightsWith(explorationNoise(inputs.levels, options, config)));
  }

  weights(): ManagerWeights {
    return this.weightsWith(undefined);
  }

  levelWeights(): Promise<LevelWeights> {
    return meanWeights(this.weights());
  }

  private weightsWith(noise: Tensor | undefined): ManagerWeights {
    const { levels, layerIndex } = this.config;
    const scores = sliceAxis(this.layer_scores, 1, 0, levels);
    if (layerIndex === 0) return { levels: levelSoftmax(scores, this.softmax_temperature, noise), previous: undefined };
    const earlier = sliceAxis(this.layer_scores, 1, levels); // [1, layerIndex, 1, width or 1]
    if (this.softmax_temperature_cross) {
      return {
        levels: levelSoftmax(scores, this.softmax_temperature, noise),
        previous: levelSoftmax(earlier, this.softmax_temperature_cross),
      };
    }
    const shared = levelSoftmax(joined(scores, earlier, noise), this.softmax_temperature);
    return { levels: sliceAxis(shared, 1, 0, levels), previous: sliceAxis(shared, 1, levels) };
  }
}

/** Scores of levels, with noise where there is any, and of earlier outputs as the entries of one softmax. */
function joined(levels: Tensor, earlier: Tensor, noise: Tensor | undefined): Tensor {
  if (!noise) return concat([levels, earlier], 1);
  const noisy = add(levels, noise); // [batch, levels, tokens, width]
  const [batch, , tokens, width] = noisy.shape as [number, number, number, number];
  return concat([noisy, broadcastTo(earlier, [batch, earlier.shape[1]!, tokens, width])], 1);
}
