import { ConfigError, formatShape, ShapeError } from '../errors.js';
import { type Shape, sameShape } from '../graph/shape.js';
import { type ActivationName, activations } from '../ops/activations.js';
import { add } from '../ops/arithmetic.js';
import { type Conv2dOptions, conv2d } from '../ops/convolution.js';
import { embedding } from '../ops/embedding.js';
import { linear } from '../ops/linear.js';
import { layerNorm, layerNorm2d, rmsNorm } from '../ops/normalization.js';
import { QuantizedWeight } from '../quantization/quantized-weight.js';
import { type Initializer, kaimingUniform, normal, ones, uniform, zeros } from '../random/initializers.js';
import { structureChanged } from '../structure.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Default: true. */
  readonly bias?: boolean;
  /** Of the weight. Default: uniform ±1/√inputs, as PyTorch. */
  readonly initializer?: Initializer;
  /** Of the bias. Default: uniform ±1/√inputs, as PyTorch; zeros if `initializer` is given. */
  readonly biasInitializer?: Initializer;
  /** A weight [outputs, inputs] of another layer, to be shared with it, such as the token table by an output head. */
  readonly weight?: Parameter | undefined;
}

/** What adds to the output of a {@link Linear}, such as the low-rank product of LoRA. */
export interface LinearAdapter extends Module {
  /** x [..., inputs] → [..., outputs] */
  forward(x: Tensor): Tensor;
}

/** y = x·Wᵀ + b, with weight [outputs, inputs], and what an adapter adds. */
export class Linear extends Module {
  /** Floats, or a weight in few bits; changed by {@link setWeight}. */
  weight: Parameter | QuantizedWeight;
  readonly bias: Parameter | undefined;
  /** What adds to the output; changed by {@link setAdapter}. */
  adapter: LinearAdapter | undefined;

  /** @throws ShapeError if a shared weight is not [outputs, inputs]. */
  constructor(
    inputs: number,
    outputs: number,
    { bias = true, initializer, biasInitializer, weight }: LinearOptions = {},
  ) {
    super();
    const bound = 1 / Math.sqrt(inputs);
    if (weight) requireWeight('Linear', weight, [outputs, inputs]);
    this.weight = weight ?? new Parameter([outputs, inputs], { initializer: initializer ?? uniform(-bound, bound) });
    const biasStart = biasInitializer ?? (initializer ? zeros : uniform(-bound, bound));
    this.bias = bias ? new Parameter([outputs], { initializer: biasStart }) : undefined;
  }

  /**
   * The weight where it is one of floats.
   *
   * @throws ConfigError if it is quantized.
   */
  get floatWeight(): Parameter {
    if (this.weight instanceof Parameter) return this.weight;
    throw new ConfigError({
      operation: 'Linear.floatWeight',
      expected: 'a layer whose weight is one of floats',
      received: `one of ${this.weight.config.format}`,
      remedy: 'Take the values with weight.toFloat or weight.dequantized, or turn it back with dequantizeModule.',
    });
  }

  /**
   * Puts a weight in place of the one before.
   *
   * @throws ShapeError if it is of another shape.
   */
  setWeight(weight: Parameter | QuantizedWeight): void {
    requireWeight('Linear.setWeight', weight, this.weight.shape);
    this.weight = weight;
    structureChanged();
  }

  /** Puts an adapter on in place of the one before, or takes it off. Its parameters are named `adapter.…`. */
  setAdapter(adapter: LinearAdapter | undefined): void {
    this.adapter = adapter;
    structureChanged();
  }

  /** x [..., inputs] → [..., outputs] */
  forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const y = weight instanceof QuantizedWeight ? weight.linear(x, bias) : linear(x, weight, bias);
    return this.adapter ? add(y, this.adapter.forward(x)) : y;
  }
}

function requireWeight(operation: string, { shape }: { readonly shape: Shape }, expected: Shape): void {
  if (sameShape(shape, expected)) return;
  throw new ShapeError({ operation, expected: `a weight ${formatShape(expected)}`, received: [shape] });
}

/** {@link layerNorm} over the last axis with a learned gain and shift. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(
    width: number,
    readonly epsilon = 1e-5,
  ) {
    super();
    this.weight = new Parameter([width], { initializer: ones });
    this.bias = new Parameter([width]);
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return layerNorm(x, { weight: this.weight, bias: this.bias, epsilon: this.epsilon });
  }
}

/** {@link LayerNorm} over the channels of images. */
export class LayerNorm2d extends LayerNorm {
  /** x [batch, channels, height, width] → same */
  override forward(x: Tensor): Tensor {
    return layerNorm2d(x, { weight: this.weight, bias: this.bias, epsilon: this.epsilon });
  }
}

/** {@link rmsNorm} with a learned gain. */
export class RMSNorm extends Module {
  readonly weight: Parameter;

  constructor(
    width: number,
    readonly epsilon = 1e-6,
  ) {
    super();
    this.weight = new Parameter([width], { initializer: ones });
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, { epsilon: this.epsilon });
  }
}

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** This row is read but gets no gradient. */
  readonly paddingIndex?: number;
  /** Default: N(0, 1), as PyTorch. */
  readonly initializer?: Initializer;
}

/** What adds to the rows that an {@link Embedding} gives. */
export interface EmbeddingAdapter extends Module {
  /** ids [...] → [..., width] */
  forward(ids: Tensor): Tensor;
}

/** A table of rows, looked up by index, and what an adapter adds. */
export class Embedding extends Module {
  readonly weight: Parameter;
  readonly paddingIndex: number | undefined;
  /** What adds to the rows; changed by {@link setAdapter}. */
  adapter: EmbeddingAdapter | undefined;

  constructor(rows: number, width: number, { paddingIndex, initializer = normal(0, 1) }: EmbeddingOptions = {}) {
    super();
    this.weight = new Parameter([rows, width], { initializer });
    this.paddingIndex = paddingIndex;
  }

  /** Puts an adapter on in place of the one before, or takes it off. Its parameters are named `adapter.…`. */
  setAdapter(adapter: EmbeddingAdapter | undefined): void {
    this.adapter = adapter;
    structureChanged();
  }

  /** ids [...] → [..., width] */
  forward(ids: Tensor): Tensor {
    const rows = embedding(ids, this.weight, { paddingIndex: this.paddingIndex });
    return this.adapter ? add(rows, this.adapter.forward(ids)) : rows;
  }
}

/** Options of {@link Conv2d}. */
export interface Conv2dLayerOptions extends Omit<Conv2dOptions, 'bias'> {
  /** Default: true. */
  readonly bias?: boolean;
  /** Of the weight. Default: Kaiming uniform with a = √5, as PyTorch. */
  readonly initializer?: Initializer;
}

/** {@link conv2d} with weight [outputs, inputs / groups, kernel, kernel]. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly options: Omit<Conv2dOptions, 'bias'>;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    { bias = true, initializer, ...options }: Conv2dLayerOptions = {},
  ) {
    super();
    const perGroup = inputs / (options.groups ?? 1);
    const bound = 1 / Math.sqrt(perGroup * kernel * kernel);
    this.weight = new Parameter([outputs, perGroup, kernel, kernel], {
      initializer: initializer ?? kaimingUniform({ a: Math.sqrt(5) }),
    });
    this.bias = bias
      ? new Parameter([outputs], { initializer: initializer ? zeros : uniform(-bound, bound) })
      : undefined;
    this.options = options;
  }

  /** x [batch, inputs, height, width] → [batch, outputs, height', width'] */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { ...this.options, bias: this.bias });
  }
}

/** Linear, activation, Linear: the feed-forward part of a transformer block. Keys `fc1`, `fc2`. */
export class FeedForward extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(
    width: number,
    hidden: number,
    readonly activation: ActivationName,
  ) {
    super();
    this.fc1 = new Linear(width, hidden);
    this.fc2 = new Linear(hidden, width);
  }

  /** x [..., width] → same */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(activations[this.activation](this.fc1.forward(x)));
  }
}
