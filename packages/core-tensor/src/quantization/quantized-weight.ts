import type { AnyTypedArray } from '../dtype.js';
import { CheckpointError } from '../errors.js';
import { Module } from '../nn/module.js';
import { Parameter, type SetOptions } from '../nn/parameter.js';
import { add } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import type { AccuracyLevel } from '../ops/quantized.js';
import { structureChanged } from '../structure.js';
import type { Tensor } from '../tensor.js';
import { parseQuantizationConfig, type QuantizationConfig, type QuantizationConfigInput } from './config.js';
import { dequantizeValues, formatOf, type PartName, type PartSpec, type Parts, quantizeValues } from './formats.js';
import type { MatrixShape } from './nbits.js';

/** Options of {@link QuantizedWeight}. */
export interface QuantizedWeightOptions {
  /** Default: 1, the exact product. */
  readonly accuracyLevel?: AccuracyLevel;
}

/**
 * The weight [outputs, inputs] of a linear layer, held in few bits. It never trains; gradients pass through its products
 * to what is before and beside it. Until values are set it is zero.
 *
 * Its parts are parameters like others, so they are saved and loaded by their paths: `packed` and, by format, `scales`
 * and `zeroPoints` (`nbits`); `absmax` (`nf4`, `fp4`, `int8`); `nestedAbsmax`, `nestedMap` and `nestedOffset` beside it
 * where the scales are quantized too. `quantization` is the configuration as the bytes of a JSON text: files say what
 * they hold, and those of another configuration are refused.
 */
export class QuantizedWeight extends Module {
  readonly config: QuantizationConfig;
  /** Of the values: [outputs, inputs]. */
  readonly shape: MatrixShape;
  readonly quantization: Parameter;
  readonly packed: Parameter;
  readonly scales: Parameter | undefined;
  readonly zeroPoints: Parameter | undefined;
  readonly absmax: Parameter | undefined;
  readonly nestedAbsmax: Parameter | undefined;
  readonly nestedMap: Parameter | undefined;
  readonly nestedOffset: Parameter | undefined;
  private level: AccuracyLevel;

  /** @throws ConfigError if the configuration has unknown or invalid fields. */
  constructor(
    shape: MatrixShape,
    config: QuantizationConfigInput = {},
    { accuracyLevel = 1 }: QuantizedWeightOptions = {},
  ) {
    super();
    this.config = parseQuantizationConfig(config);
    this.shape = shape;
    this.level = accuracyLevel;
    const specs = formatOf(this.config).specs(shape, this.config);
    this.quantization = new ConfigParameter(this.config);
    this.packed = partOf(specs.packed!);
    this.scales = specs.scales && partOf(specs.scales);
    this.zeroPoints = specs.zeroPoints && partOf(specs.zeroPoints);
    this.absmax = specs.absmax && partOf(specs.absmax);
    this.nestedAbsmax = specs.nestedAbsmax && partOf(specs.nestedAbsmax);
    this.nestedMap = specs.nestedMap && partOf(specs.nestedMap);
    this.nestedOffset = specs.nestedOffset && partOf(specs.nestedOffset);
  }

  /** How exact its products are. */
  get accuracyLevel(): AccuracyLevel {
    return this.level;
  }

  /** Changes how exact the products are from now on. */
  setAccuracyLevel(level: AccuracyLevel): void {
    this.level = level;
    structureChanged();
  }

  /** Bytes of all parts, without the configuration. */
  get byteLength(): number {
    return Object.values(this.parts()).reduce((sum, { size, dtype }) => sum + size * (dtype === 'uint8' ? 1 : 4), 0);
  }

  /**
   * Quantizes values.
   *
   * @param values row-major, [outputs, inputs].
   * @throws ShapeError if their number is not that of the shape; QuantizationError for values that are not finite.
   */
  setFromFloat(values: Float32Array): void {
    this.setParts(quantizeValues(values, this.shape, this.config));
  }

  /** @internal Takes what the format's quantizer made, and keeps the arrays. */
  setParts(parts: Parts<AnyTypedArray>): void {
    for (const [name, parameter] of Object.entries(this.parts()))
      parameter.set(parts[name as PartName]!, { own: true });
  }

  /** x·Wᵀ + bias. x [..., inputs] → [..., outputs] */
  linear(x: Tensor, bias?: Tensor): Tensor {
    const floats = cast(x, 'float32');
    const y = formatOf(this.config).multiply(floats, this.parts(), this.shape, this.config, this.level);
    return cast(bias ? add(y, bias) : y, x.dtype);
  }

  /** The values behind it as a tensor, [outputs, inputs]. */
  dequantized(): Tensor {
    return formatOf(this.config).decode(this.parts(), this.shape, this.config);
  }

  /** The values behind it, computed on the host: row-major, [outputs, inputs]. */
  async toFloat(): Promise<Float32Array> {
    const names = Object.entries(this.parts());
    const arrays = await Promise.all(names.map(async ([name, parameter]) => [name, await parameter.peek()] as const));
    return dequantizeValues(Object.fromEntries(arrays), this.shape, this.config);
  }

  /** The parts that its format has. */
  private parts(): Parts<Parameter> {
    const { packed, scales, zeroPoints, absmax, nestedAbsmax, nestedMap, nestedOffset } = this;
    const all = { packed, scales, zeroPoints, absmax, nestedAbsmax, nestedMap, nestedOffset };
    return Object.fromEntries(Object.entries(all).filter(([, part]) => part)) as Parts<Parameter>;
  }
}

function partOf({ shape, dtype }: PartSpec): Parameter {
  return new Parameter(shape, { dtype, trainable: false, alwaysConstant: true });
}

/** A configuration as the bytes of a JSON text. Only the same configuration can be set. */
class ConfigParameter extends Parameter {
  private readonly text: string;

  constructor(config: QuantizationConfig) {
    const text = JSON.stringify(config);
    const bytes = new TextEncoder().encode(text);
    super([bytes.length], { dtype: 'uint8', trainable: false, initializer: () => Float32Array.from(bytes) });
    this.text = text;
  }

  override set(values: AnyTypedArray, options?: SetOptions): void {
    const given = values instanceof Uint8Array ? new TextDecoder().decode(values) : `a ${values.constructor.name}`;
    if (given !== this.text) {
      throw new CheckpointError({
        operation: 'load quantized weight',
        expected: `a weight quantized as ${this.text}`,
        received: given,
        remedy: 'Load it with loadQuantizedWeights, which gives the module the form of the checkpoint.',
      });
    }
    super.set(values, options);
  }
}
