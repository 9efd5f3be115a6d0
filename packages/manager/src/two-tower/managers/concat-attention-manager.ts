import {
  broadcastTo,
  concat,
  expandDims,
  type LayerNorm,
  type Linear,
  Module,
  type Parameter,
  type Tensor,
} from '@ocelli/core-tensor';
import type { LayerAttention } from '../../layer-attention.js';
import { type LevelWeights, meanWeights } from '../../level-weights.js';
import { requireLaterLayer } from './adaptive-unimodal-manager.js';
import { type ManagerConfig, type ManagerConfigInput, parseManagerConfig } from './config.js';
import type { Manager, ManagerForwardOptions, ManagerInputs, ManagerWeights } from './manager.js';
import {
  aggregate,
  explorationNoise,
  levelSoftmax,
  managerLinear,
  managerNorms,
  type NormalizedInputs,
  normalizeInputs,
  requireInputs,
  scoreParameter,
  temperatureParameter,
} from './parts.js';
import { createQueryParts, managerQuery, queryWidth } from './query.js';

/**
 * Predicts a weight per level, token and feature from the level itself beside the query: sᵢ = W[query ; LNᵢ(Uᵢ)] + b.
 * An ablation of Xu et al. 2025 (table I, App. D); not released.
 */
export class ConcatAttentionManager extends Module implements Manager {
  readonly config: ManagerConfig;
  readonly layer_scores_cross: Parameter;
  readonly linear_controller: Linear;
  readonly fusion_attention: LayerAttention | undefined;
  readonly LayerNorm: readonly LayerNorm[];
  readonly extra_query_LayerNorm: LayerNorm | undefined;
  readonly softmax_temperature: Parameter;

  /** @throws ConfigError that names every unknown or invalid field, or in front of the first cross-modal layer */
  constructor(config: ManagerConfigInput = {}) {
    super();
    this.config = parseManagerConfig({ type: 'concat-attention', layerIndex: 1, ...config });
    requireLaterLayer('ConcatAttentionManager', this.config);
    const { levels, hiddenSize } = this.config;
    this.layer_scores_cross = scoreParameter([1], this.config);
    this.linear_controller = managerLinear(queryWidth(this.config) + hiddenSize, hiddenSize, this.config);
    const parts = createQueryParts(this.config);
    this.fusion_attention = parts.fusion_attention;
    this.LayerNorm = managerNorms(levels + 1, this.config);
    this.extra_query_LayerNorm = parts.extra_query_LayerNorm;
    this.softmax_temperature = temperatureParameter(this.config);
  }

  /** → [batch, tokens, width] */
  forward(inputs: ManagerInputs, options: ManagerForwardOptions = {}): Tensor {
    const states = this.normalize(inputs);
    return aggregate(states, this.weightsOf(states, inputs, explorationNoise(inputs.levels, options, this.config)));
  }

  /** @throws ConfigError without inputs, which the weights depend on */
  weights(inputs?: ManagerInputs): ManagerWeights {
    const given = requireInputs(this, inputs);
    return this.weightsOf(this.normalize(given), given, undefined);
  }

  /** @throws ConfigError without inputs, which the weights depend on */
  async levelWeights(inputs?: ManagerInputs): Promise<LevelWeights> {
    return meanWeights(this.weights(inputs), inputs?.mask);
  }

  private normalize(inputs: ManagerInputs): NormalizedInputs {
    return normalizeInputs(inputs, this.LayerNorm, { outputs: 1, config: this.config });
  }

  private weightsOf(states: NormalizedInputs, inputs: ManagerInputs, noise: Tensor | undefined): ManagerWeights {
    const query = managerQuery(states.previous!, inputs, { parts: this, config: this.config });
    const [batch, tokens, width] = query.shape as [number, number, number];
    const { levels, hiddenSize } = this.config;
    const beside = concat(
      [
        broadcastTo(expandDims(query, 1), [batch, levels, tokens, width]),
        broadcastTo(states.levels, [batch, levels, tokens, hiddenSize]),
      ],
      -1,
    ); // [batch, levels, tokens, query width + width]
    const scores = this.linear_controller.forward(beside);
    return { levels: levelSoftmax(scores, this.softmax_temperature, noise), previous: this.layer_scores_cross };
  }
}
