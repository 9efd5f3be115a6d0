import { LayerNorm, Linear, Module, type Tensor } from '@ocelli/core-tensor';

/** A norm and a linear layer behind it. Keys `0` and `1`. */
export class NormedLinear extends Module {
  readonly 0: LayerNorm;
  readonly 1: Linear;

  constructor(inputs: number, outputs: number) {
    super();
    this[0] = new LayerNorm(inputs);
    this[1] = new Linear(inputs, outputs);
  }

  /** x [..., inputs] → [..., outputs] */
  forward(x: Tensor): Tensor {
    return this[1].forward(this[0].forward(x));
  }
}
