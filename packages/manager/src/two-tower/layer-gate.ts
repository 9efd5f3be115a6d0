import { add, initializers, Linear, mul, ShapeError, softmax, stack, sum, type Tensor } from '@ocelli/core-tensor';

/**
 * METER's gated sum of a tower's layers: last + Σᵢ softmaxᵢ(W·Uᵢ + b) ⊙ Uᵢ over the earlier ones, per token and feature.
 * Keys `weight`, `bias`. Source: ManagerTower `src/modules/meter_module.py`, `meter_fusion`.
 */
export class LayerGate extends Linear {
  constructor(width: number, initializerRange = 0.02) {
    super(width, width, { initializer: initializers.normal(0, initializerRange) });
  }

  /**
   * Outputs of all layers, bottom to top, each [batch, tokens, width] → [batch, tokens, width]
   *
   * @throws ShapeError if there are fewer than two
   */
  sum(states: readonly Tensor[]): Tensor {
    const last = states.at(-1);
    if (!last || states.length < 2) {
      throw new ShapeError({
        operation: 'LayerGate.sum',
        expected: 'the outputs of at least two layers',
        received: states.map(({ shape }) => shape),
      });
    }
    const earlier = stack(states.slice(0, -1)); // [layers − 1, batch, tokens, width]
    return add(last, sum(mul(softmax(this.forward(earlier), 0), earlier), { axes: 0 }));
  }
}
