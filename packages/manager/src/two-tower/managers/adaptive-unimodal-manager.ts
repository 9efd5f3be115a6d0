import {
  ConfigError,
  type LayerNorm,
  type Linear,
  Module,
  type Parameter,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import type { LayerAttention } from '../../layer-attention.js';
import { type LevelWeights, meanWeights } from '../../level-weights.js';
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
  unusedTemperature,
} from './parts.js';
import { createQueryParts, managerQuery, queryWidth } from './query.js';

/**
 * Adaptive Aggregation of Unimodal Experts: out = Σᵢ softmaxᵢ(s/τ) LNᵢ(Uᵢ) + w_C ⊙ Ĉ with s = W[A ; Ĉ] + b per token,
 * where A is what the normalised last output Ĉ attends to of the other modality's. With `query: 'own'`, s = WĈ + b. The
 * 2025 paper has W without the bias that the code has.
 * Source: ManagerTower `src/modules/heads.py`, `AAUE`; Xu et al. 2023, §3.3.
 */
export class AdaptiveUnimodalManager extends Module implements Manager {
  readonly config: ManagerConfig;
  readonly layer_scores_cross: Parameter;
  readonly linear_controller: Linear;
  readonly fusion_attention: LayerAttention | undefined;
  readonly LayerNorm: readonly LayerNorm[];
  readonly extra_query_LayerNorm: LayerNorm | undefined;
  readonly softmax_temperature: Parameter;
  readonly softmax_temperature_cross: Parameter;

  /** @throws ConfigError that names every unknown or invalid field, or in front of the first cross-modal layer */
  constructor(config: ManagerConfigInput = {}) {
    super();
    this.config = parseManagerConfig({ layerIndex: 1, ...config });
    requireLaterLayer('AdaptiveUnimodalManager', this.config);
    const { levels } = this.config;
    this.layer_scores_cross = scoreParameter([1], this.config);
    this.linear_controller = managerLinear(queryWidth(this.config), levels, this.config);
    const parts = createQueryParts(this.config);
    this.fusion_attention = parts.fusion_attention;
    this.LayerNorm = managerNorms(levels + 1, this.config);
    this.extra_query_LayerNorm = parts.extra_query_LayerNorm;
    this.softmax_temperature = temperatureParameter(this.config);
    this.softmax_temperature_cross = unusedTemperature(this.config);
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
    const scores = perToken(transpose(this.linear_controller.forward(query), [0, 2, 1])); // [batch, levels, tokens, 1]
    return { levels: levelSoftmax(scores, this.softmax_temperature, noise), previous: this.layer_scores_cross };
  }
}

/**
 * Refuses a place where there is no output to predict weights from.
 *
 * @throws ConfigError in front of the first cross-modal layer
 */
export function requireLaterLayer(operation: string, { layerIndex }: ManagerConfig): void {
  if (layerIndex > 0) return;
  throw new ConfigError({
    operation,
    expected: 'a layerIndex of at least 1, as the weights follow from the layer before',
    received: String(layerIndex),
    remedy: 'Use createManager, which gives the first layer a static manager.',
  });
}
