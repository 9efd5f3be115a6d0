import {
  type ActivationName,
  activations,
  add,
  Conv2d,
  dropPath,
  type Initializer,
  initializers,
  LayerNorm,
  Linear,
  Module,
  mul,
  Parameter,
  type StreamKey,
  type Tensor,
  transpose,
} from '@ocelli/core-tensor';

/** What the blocks of a stage have in common. */
export interface ConvNextBlockConfig {
  readonly width: number;
  readonly kernelSize: number;
  readonly activation: ActivationName;
  readonly layerNormEps: number;
  /** First value of the factors on the residual branch; 0 for none. */
  readonly layerScaleInit: number;
  /** Of convolutions and linear layers, whose biases start at 0 then. Default: PyTorch's, biases included. */
  readonly initializer?: Initializer | undefined;
}

/** Each position goes through a feed-forward part of four times the width. */
const expansion = 4;

/**
 * Depthwise convolution, norm, feed-forward, factors: x + γ · pwconv2(act(pwconv1(norm(dwconv(x))))).
 * Liu et al. 2022, section 2.4; keys of Hugging Face's `ConvNextLayer`.
 */
export class ConvNextBlock extends Module {
  readonly layer_scale_parameter: Parameter | undefined;
  readonly dwconv: Conv2d;
  readonly layernorm: LayerNorm;
  readonly pwconv1: Linear;
  readonly pwconv2: Linear;
  private readonly activation: ActivationName;

  constructor(
    { width, kernelSize, activation, layerNormEps, layerScaleInit, initializer }: ConvNextBlockConfig,
    /** Rate of stochastic depth. */
    readonly dropPathRate: number = 0,
  ) {
    super();
    const start = initializer ? { initializer } : {};
    this.layer_scale_parameter =
      layerScaleInit > 0 ? new Parameter([width], { initializer: initializers.constant(layerScaleInit) }) : undefined;
    this.dwconv = new Conv2d(width, width, kernelSize, { padding: (kernelSize - 1) / 2, groups: width, ...start });
    this.layernorm = new LayerNorm(width, layerNormEps);
    this.pwconv1 = new Linear(width, expansion * width, start);
    this.pwconv2 = new Linear(expansion * width, width, start);
    this.activation = activation;
  }

  /**
   * x [batch, width, rows, columns] → same
   *
   * @param key drops the residual branch of samples at random; without it, none
   */
  forward(x: Tensor, key?: StreamKey): Tensor {
    const mixed = transpose(this.dwconv.forward(x), [0, 2, 3, 1]); // [batch, rows, columns, width]
    const hidden = activations[this.activation](this.pwconv1.forward(this.layernorm.forward(mixed)));
    const projected = this.pwconv2.forward(hidden); // [batch, rows, columns, width]
    const scaled = this.layer_scale_parameter ? mul(projected, this.layer_scale_parameter) : projected;
    const branch = transpose(scaled, [0, 3, 1, 2]); // [batch, width, rows, columns]
    return add(x, dropPath(branch, { rate: this.dropPathRate, key }));
  }
}
