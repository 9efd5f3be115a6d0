import {
  broadcastTo,
  ConfigError,
  cast,
  concat,
  cumsum,
  div,
  equal,
  expandDims,
  initializers,
  Linear,
  logicalAnd,
  Module,
  maximum,
  mul,
  ones,
  Parameter,
  sum,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import { LayerAttention } from '../layer-attention.js';
import { isSeen } from '../mask.js';
import {
  jittered,
  jitterRange,
  type ResidualManager,
  type ResidualManagerConfig,
  type ResidualManagerInputs,
  type ResidualManagerOptions,
} from './residual-manager.js';

/**
 * Adds Σᵢ sᵢ ⊙ Gᵢ ⊙ Fᵢ: scores s = W·query per token, without bias, and gates G per feature that start at zero. The query is
 * the token's state in the decoder, behind what it gets of the question where the type says so.
 * Source: LLaVA-OV-Manager `llava/model/manager/manager.py`, `AdaptiveManagerZeroInit`.
 */
export class AdaptiveResidualManager extends Module implements ResidualManager {
  readonly fusion_attention: LayerAttention | undefined;
  readonly linear_controller: Linear;
  readonly zero_gate: Parameter;

  constructor(readonly config: ResidualManagerConfig) {
    super();
    const { type, hiddenSize, levels, initializerRange } = config;
    this.fusion_attention =
      type === 'adaptive-cross' ? new LayerAttention(hiddenSize, hiddenSize, initializerRange) : undefined;
    this.linear_controller = new Linear(type === 'adaptive' ? hiddenSize : 2 * hiddenSize, levels, {
      bias: false,
      initializer: initializers.normal(0, initializerRange),
    });
    this.zero_gate = new Parameter([1, levels, 1, hiddenSize]);
  }

  /** → [batch, tokens, width]. @throws ConfigError without the decoder's states */
  forward(inputs: ResidualManagerInputs, options: ResidualManagerOptions = {}): Tensor {
    const { jitter, hiddenSize } = this.config;
    const scores = this.scores(inputs);
    const [batch, levels, tokens] = scores.shape as [number, number, number, number];
    const changed =
      jitter === 'weights'
        ? jittered(broadcastTo(scores, [batch, levels, tokens, hiddenSize]), jitterRange.weights, options)
        : scores;
    const output = sum(mul(mul(changed, this.zero_gate), inputs.levels), { axes: 1 });
    return jitter === 'output' ? jittered(output, jitterRange.output, options) : output;
  }

  /** @throws ConfigError without inputs, which the weights depend on */
  weights(inputs?: ResidualManagerInputs): Tensor {
    return mul(this.scores(inputs), this.zero_gate);
  }

  /** [batch, levels, tokens, 1] */
  private scores(inputs: ResidualManagerInputs | undefined): Tensor {
    const { states } = inputs ?? {};
    if (!inputs || !states) {
      throw new ConfigError({
        operation: 'AdaptiveResidualManager',
        expected: "the decoder's states, as the weights depend on them",
        received: 'none',
      });
    }
    const asked = this.askedAt(states, inputs);
    const query = asked ? concat([asked, states], -1) : states;
    return expandDims(transpose(this.linear_controller.forward(query), [0, 2, 1]), -1);
  }

  /** What each token gets of the question, [batch, tokens, width]. */
  private askedAt(states: Tensor, { question = states, questionMask }: ResidualManagerInputs): Tensor | undefined {
    const { type } = this.config;
    if (type === 'adaptive') return undefined;
    const [batch, tokens, width] = states.shape as [number, number, number];
    const mask = questionMask ? isSeen(questionMask) : ones([question.shape[0]!, question.shape[1]!], 'bool');
    if (this.fusion_attention) return this.fusion_attention.forward(states, question, mask);
    const present = cast(mask, 'float32'); // [batch, question tokens]
    // A row without question and visual tokens has none; nothing is added to it.
    const total = maximum(sum(present, { axes: 1, keepDims: true }), 1);
    const chosen =
      type === 'adaptive-average'
        ? div(present, total)
        : cast(logicalAnd(mask, equal(cumsum(present, 1), total)), 'float32');
    const one = sum(mul(expandDims(chosen, -1), question), { axes: 1, keepDims: true }); // [batch, 1, width]
    return broadcastTo(one, [batch, tokens, width]);
  }
}
