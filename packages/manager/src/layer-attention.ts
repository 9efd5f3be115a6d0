import {
  attention,
  expandDims,
  initializers,
  Linear,
  Module,
  reshape,
  squeeze,
  type Tensor,
} from '@ocelli/core-tensor';

/**
 * Scores of queries and keys, as wide as the model, in one head; values pass as they are. Keys `q_proj`, `k_proj`.
 */
export class LayerAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;

  constructor(queryWidth: number, width: number, initializerRange: number) {
    super();
    const initializer = initializers.normal(0, initializerRange);
    this.q_proj = new Linear(queryWidth, width, { initializer });
    this.k_proj = new Linear(width, width, { initializer });
  }

  /**
   * queries [batch, tokens, query width], states [batch, other tokens, width] → [batch, tokens, width]
   *
   * @param mask true where a state is seen: [batch, other tokens]
   */
  forward(queries: Tensor, states: Tensor, mask?: Tensor): Tensor {
    const head = (x: Tensor) => expandDims(x, 1); // [batch, 1, tokens, width]
    const mixed = attention(head(this.q_proj.forward(queries)), head(this.k_proj.forward(states)), head(states), {
      mask: mask && reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!]),
    });
    return squeeze(mixed, 1);
  }
}
