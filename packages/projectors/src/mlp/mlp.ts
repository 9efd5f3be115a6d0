import { type ActivationName, activations, type Initializer, Linear, Module, type Tensor } from '@ocelli/core-tensor';

/** Options of {@link Mlp}. */
export interface MlpOptions {
  /** Between the layers. Default: `silu`. */
  readonly activation?: ActivationName;
  /** Of the weights; biases are zero then. Default: as PyTorch's linear layer, biases too. */
  readonly initializer?: Initializer | undefined;
}

/**
 * Linear layers with an activation between them. Named 0, 2, 4, …: the official codes count the activations too.
 * Without a layer, what comes in goes out.
 */
export class Mlp extends Module {
  readonly [place: number]: Linear;
  private readonly activation: ActivationName;

  constructor(depth: number, inputs: number, outputs: number, { activation = 'silu', initializer }: MlpOptions = {}) {
    super();
    this.activation = activation;
    for (let layer = 0; layer < depth; layer++) {
      const linear = new Linear(layer === 0 ? inputs : outputs, outputs, initializer ? { initializer } : {});
      Object.assign(this, { [2 * layer]: linear });
    }
  }

  /** x [..., inputs] → [..., outputs] */
  forward(x: Tensor): Tensor {
    const layers = Object.values(this).filter((field) => field instanceof Linear);
    const activate = activations[this.activation];
    return layers.reduce((hidden, layer, index) => layer.forward(index === 0 ? hidden : activate(hidden)), x);
  }
}
