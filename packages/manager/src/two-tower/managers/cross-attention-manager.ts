import {
  type LayerNorm,
  type Linear,
  Module,
  matmul,
  mul,
  type Parameter,
  select,
  type Tensor,
  transpose,
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
  perToken,
  requireInputs,
  scoreParameter,
  temperatureParameter,
} from './parts.js';
import { createQueryParts, managerQuery, queryWidth } from './query.js';

/**
 * Attends to the levels through their first tokens: sᵢ = (W_q·query + b_q)·(W_k·LNᵢ(Uᵢ)₀ + b_k) / √width per token,
 * without projection of values. An ablation of Xu et al. 2025 (table I, App. D), where it hurts retrieval; not released.
 */
export class CrossAttentionManager extends Module implements Manager {
  readonly config: ManagerConfig;
  readonly layer_scores_cross: Parameter;
  readonly level_attention: { readonly q_proj: Linear; readonly k_proj: Linear };
  readonly fusion_attention: LayerAttention | undefined;
  readonly LayerNorm: readonly LayerNorm[];
  readonly extra_query_LayerNorm: LayerNorm | undefined;
  readonly softmax_temperature: Parameter;

  /** @throws ConfigError that names every unknown or invalid field, or in front of the first cross-modal layer */
  constructor(config: ManagerConfigInput = {}) {
    super();
    this.config = parseManagerConfig({ type: 'cross-attention', layerIndex: 1, ...config });
    requireLaterLayer('CrossAttentionManager', this.config);
    const { levels, hiddenSize } = this.config;
    this.layer_scores_cross = scoreParameter([1], this.config);
    this.level_attention = {
      q_proj: managerLinear(queryWidth(this.config), hiddenSize, this.config),
      k_proj: managerLinear(hiddenSize, hiddenSize, this.config),
    };
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
    const { q_proj, k_proj } = this.level_attention;
    const query = q_proj.forward(managerQuery(states.previous!, inputs, { parts: this, config: this.config }));
    const keys = k_proj.forward(select(states.levels, 2, 0)); // [batch, levels, width]
    const products = matmul(query, keys, { transposeB: true }); // [batch, tokens, levels]
    const scores = perToken(transpose(mul(products, this.config.hiddenSize ** -0.5), [0, 2, 1]));
    return { levels: levelSoftmax(scores, this.softmax_temperature, noise), previous: this.layer_scores_cross };
  }
}
