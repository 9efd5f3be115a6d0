import { type AnyTypedArray, convert, type DType, isArrayOf } from '../dtype.js';
import type { DeviceBuffer, Engine } from '../engine/engine.js';
import { currentEngine } from '../engine/select.js';
import { DTypeError, ShapeError } from '../errors.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { type Initializer, zeros } from '../random/initializers.js';
import { foldIn, type RandomKey, randomKey } from '../random/key.js';
import { Tensor } from '../tensor.js';

/** Options of {@link Parameter}. */
export interface ParameterOptions {
  /** How its first values are drawn. Default: zeros. */
  readonly initializer?: Initializer;
  /** False for state that is saved but never trained, such as running statistics. Default: true. */
  readonly trainable?: boolean;
  readonly dtype?: DType;
  /**
   * While it does not train, programs hold it as their own, however `compile` is told to hold frozen parameters: what
   * is computed from it is fast only where the engine could arrange it. Default: false.
   */
  readonly alwaysConstant?: boolean;
}

/** Options of {@link Parameter.set}. */
export interface SetOptions {
  /**
   * The caller gives the array up: moving it to the engine may empty it instead of copying. Default: false, and the
   * array must not change until the values are first used.
   */
  readonly own?: boolean;
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
  /** See {@link ParameterOptions.alwaysConstant}. */
  readonly alwaysConstant: boolean;
  /** Grows with every change of its values. */
  version = 0;
  private readonly initializer: Initializer;
  private key: RandomKey;
  private buffer: DeviceBuffer | undefined;
  private loaded: AnyTypedArray | undefined;
  private ownsLoaded = false;

  constructor(
    shape: Shape,
    { initializer = zeros, trainable = true, dtype = 'float32', alwaysConstant = false }: ParameterOptions = {},
  ) {
    super(shape, dtype, { kind: 'parameter' });
    this.initializer = initializer;
    this.trainable = trainable;
    this.alwaysConstant = alwaysConstant;
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
   * @throws ShapeError if their number is not that of the shape; DTypeError if the array is not one of the dtype.
   */
  set(values: AnyTypedArray, { own = false }: SetOptions = {}): void {
    if (values.length !== sizeOf(this.shape)) {
      throw new ShapeError({
        operation: 'Parameter.set',
        expected: `${sizeOf(this.shape)} values for shape [${this.shape.join(', ')}]`,
        received: [[values.length]],
      });
    }
    if (!isArrayOf(this.dtype, values)) {
      throw new DTypeError({
        operation: 'Parameter.set',
        expected: `an array of dtype ${this.dtype}`,
        received: `a ${values.constructor.name}`,
        remedy: 'Convert the values first.',
      });
    }
    this.drop();
    this.loaded = values;
    this.ownsLoaded = own;
  }

  /** @internal The values as an engine holds them; draws or moves them there when needed. */
  async bufferOn(engine: Engine): Promise<DeviceBuffer> {
    const previous = this.buffer;
    if (previous?.engine === engine) return previous;
    const values = previous ? await previous.engine.download(previous) : this.hostValues();
    // Meanwhile the values may have been replaced, or moved by another call.
    if (this.buffer !== previous) return this.bufferOn(engine);
    previous?.engine.free(previous);
    // What an initializer drew may be its own array.
    const own = previous !== undefined || (values === this.loaded && this.ownsLoaded);
    this.buffer = engine.upload(values, this.shape, this.dtype, { own });
    this.loaded = undefined;
    return this.buffer;
  }

  override async data(): Promise<AnyTypedArray> {
    const buffer = this.buffer ?? (await this.bufferOn(await currentEngine()));
    return buffer.engine.download(buffer);
  }

  /** @internal The values to be read at once and not changed, without bringing them to an engine. */
  async peek(): Promise<AnyTypedArray> {
    return this.buffer ? this.buffer.engine.download(this.buffer) : this.hostValues();
  }

  /** @internal Gives the memory of its values back: afterwards it only knows its first ones. */
  release(): void {
    this.drop();
  }

  /** Whether it holds values already, rather than only how to draw them. */
  get isMaterialized(): boolean {
    return this.buffer !== undefined || this.loaded !== undefined;
  }

  private hostValues(): AnyTypedArray {
    if (this.loaded) return this.loaded;
    const drawn = this.initializer(this.shape, this.key);
    return this.dtype === 'float32' ? drawn : convert(drawn, 'float32', this.dtype);
  }

  private drop(): void {
    this.buffer?.engine.free(this.buffer);
    this.buffer = undefined;
    this.loaded = undefined;
    this.version++;
  }
}
