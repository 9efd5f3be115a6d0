import {
  add,
  Conv2d,
  gelu,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mul,
  Parameter,
  silu,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';
import { ConvNorm } from './regnet-block.js';

/**
 * ConvNeXt's block: depthwise 7×7 convolution, norm, to four times the width and back, each channel scaled, added to what
 * comes in (Liu et al. 2022, "A ConvNet for the 2020s", arXiv 2201.03545). Where the width changes a linear layer comes
 * first.
 *
 * Honeybee compares with it (table 9) without publishing code: how it widens is a choice of this package.
 */
export class ConvNextBlock extends Module {
  readonly projection: Linear | undefined;
  readonly dwconv: Conv2d;
  readonly norm: LayerNorm;
  readonly pwconv1: Linear;
  readonly pwconv2: Linear;
  readonly gamma: Parameter;

  constructor(inputs: number, outputs: number, deviation: number) {
    super();
    const initializer = initializers.normal(0, deviation);
    this.projection = inputs === outputs ? undefined : new Linear(inputs, outputs, { initializer });
    this.dwconv = new Conv2d(outputs, outputs, 7, { groups: outputs, padding: 3, initializer });
    this.norm = new LayerNorm(outputs, 1e-6);
    this.pwconv1 = new Linear(outputs, 4 * outputs, { initializer });
    this.pwconv2 = new Linear(4 * outputs, outputs, { initializer });
    this.gamma = new Parameter([outputs], { initializer: () => new Float32Array(outputs).fill(1e-6) });
  }

  /** x [batch, height, width, inputs] → [batch, height, width, outputs] */
  forward(x: Tensor): Tensor {
    const projected = this.projection ? this.projection.forward(x) : x;
    const filtered = this.dwconv.forward(transpose(projected, [0, 3, 1, 2])); // [batch, channels, height, width]
    const normed = this.norm.forward(transpose(filtered, [0, 2, 3, 1])); // [batch, height, width, channels]
    return add(projected, mul(this.pwconv2.forward(gelu(this.pwconv1.forward(normed))), this.gamma));
  }
}

/**
 * A plain 3×3 convolution over all channels, with the norm and the SiLU of {@link RegNetBlock}, nothing added to it.
 *
 * Honeybee compares with "standard convolution" (table 9) without publishing code: norm and activation are choices of this
 * package, those that differ least from the published block.
 */
export class ConvolutionBlock extends Module {
  readonly conv1: ConvNorm;

  constructor(inputs: number, outputs: number, deviation: number) {
    super();
    this.conv1 = new ConvNorm(inputs, outputs, deviation, 'full');
  }

  /** x [batch, height, width, inputs] → [batch, height, width, outputs] */
  forward(x: Tensor): Tensor {
    return silu(this.conv1.forward(x));
  }
}
