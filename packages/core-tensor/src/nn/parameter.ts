import type { AnyTypedArray, DType } from '../dtype.js';
import type { DeviceBuffer, Engine } from '../engine/engine.js';
import { currentEngine } from '../engine/select.js';
import { ShapeError } from '../errors.js';
import { type Shape, sameShape, sizeOf } from '../graph/shape.js';
import { type Initializer, zeros } from '../random/initializers.js';
import { foldIn, type RandomKey, randomKey } from '../random/key.js';
import { Tensor } from '../tensor.js';

export interface ParameterOptions {
  /** How its first values are drawn. Default: zeros. */
  readonly initializer?: Initializer;
  /** False for state that is saved but never trained, such as running statistics. Default: true. */
  readonly trainable?: boolean;
  readonly dtype?: DType;
}

let created = 0;

/**
 * A named, trainable tensor of a module. It is lazy: until its values are first needed it only knows its shape and how
 * to draw them, so building a model of any size costs nothing.
 */
export class Parameter extends Tensor {
  /** Whether training changes it. A program holds parameters that do not need gradients as constants. */
  requiresGrad: boolean;
  /** False for state that never trains, whatever is unfrozen. */
  readonly trainable: boolean;
  /** Grows with every change of its values. */
  version = 0;
  private readonly initializer: Initializer;
  private key: RandomKey;
  private buffer: DeviceBuffer | undefined;
  private loaded: AnyTypedArray | undefined;

  constructor(shape: Shape, { initializer = zeros, trainable = true, dtype = 'float32' }: ParameterOptions = {}) {
    super(shape, dtype, { kind: 'parameter' });
    this.initializer = initializer;
    this.trainable = trainable;
    this.requiresGrad = trainable;
    this.key = foldIn(randomKey(0), created++);
  }

  /** Draws new first values under `key`; drops what it held. */
  initialize(key: RandomKey): void {
    this.key = key;
    this.drop();
  }

  /**
   * Replaces the values.
   *
   * @throws ShapeError if their number is not that of the shape.
   */
  set(values: AnyTypedArray): void {
    if (values.length !== sizeOf(this.shape)) {
      throw new ShapeError({
        operation: 'Parameter.set',
        expected: `${sizeOf(this.shape)} values for shape [${this.shape.join(', ')}]`,
        received: [[values.length]],
      });
    }
    this.drop();
    this.loaded = values;
  }

  /** @internal Takes over a buffer that an engine holds. */
  adopt(buffer: DeviceBuffer): void {
    if (!sameShape(buffer.shape, this.shape)) {
      throw new ShapeError({ operation: 'Parameter.adopt', expected: `shape [${this.shape.join(', ')}]`, received: [buffer.shape] });
    }
    this.drop();
    this.buffer = buffer;
  }

  /** @internal The values as an engine holds them; draws or moves them there when needed. */
  async bufferOn(engine: Engine): Promise<DeviceBuffer> {
    if (this.buffer?.engine === engine) return this.buffer;
    const values = this.buffer ? await this.buffer.engine.download(this.buffer) : this.hostValues();
    this.buffer?.engine.free(this.buffer);
    this.buffer = engine.upload(values, this.shape, this.dtype);
    this.loaded = undefined;
    return this.buffer;
  }

  override async data(): Promise<AnyTypedArray> {
    if (this.buffer) return this.buffer.engine.download(this.buffer);
    return currentEngine().then((engine) => this.bufferOn(engine)).then((buffer) => buffer.engine.download(buffer));
  }

  /** Whether it holds values already, rather than only how to draw them. */
  get isMaterialized(): boolean {
    return this.buffer !== undefined || this.loaded !== undefined;
  }

  private hostValues(): AnyTypedArray {
    return this.loaded ?? this.initializer(this.shape, this.key);
  }

  private drop(): void {
    this.buffer?.engine.free(this.buffer);
    this.buffer = undefined;
    this.loaded = undefined;
    this.version++;
  }
}
