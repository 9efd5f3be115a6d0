import { initializers, Linear, Module, silu, type Tensor } from '@ocelli/core-tensor';

/** Linear layers with SiLU between them. Named 0, 2, 4, …: the official code counts the activations too. */
export class Mlp extends Module {
  readonly [place: number]: Linear;

  constructor(depth: number, inputs: number, outputs: number, deviation: number) {
    super();
    const initializer = initializers.normal(0, deviation);
    for (let layer = 0; layer < depth; layer++) {
      const linear = new Linear(layer === 0 ? inputs : outputs, outputs, { initializer });
      Object.assign(this, { [2 * layer]: linear });
    }
  }

  /** x [..., inputs] → [..., outputs] */
  forward(x: Tensor): Tensor {
    const [first, ...others] = Object.values(this) as [Linear, ...Linear[]];
    return others.reduce((hidden, layer) => layer.forward(silu(hidden)), first.forward(x));
  }
}
