import { type AnyTypedArray, type DType, viewAs } from '../dtype.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { elementTypes, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './schema.js';

/** Attribute values by kind, as ONNX distinguishes them. */
export type AttributeValue = { int: number } | { float: number } | { ints: readonly number[] } | { string: string };

/** Constants of at least this many bytes are kept beside the model instead of inside it. */
const externalThreshold = 1024;

/** A constant that the model refers to by name: large values are not copied into the model's bytes. */
export interface ExternalConstant {
  readonly name: string;
  readonly data: Uint8Array;
}

const noAttributes: Readonly<Record<string, AttributeValue>> = {};

/** Collects the nodes and constants of an ONNX graph under generated names. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly external: ExternalConstant[] = [];
  private readonly integerLists = new Map<string, string>();
  /** Values of constants; undefined for what is computed from constants alone. */
  private readonly constants = new Map<string, AnyTypedArray | undefined>();
  private next = 0;

  freshName(prefix: string): string {
    return `${prefix}${this.next++}`;
  }

  /** Adds an operation and returns its result's name. */
  emit(type: string, inputs: readonly string[], attributes = noAttributes, domain = ''): string {
    const output = this.freshName('v');
    if (inputs.every((input) => this.constants.has(input))) this.constants.set(output, undefined);
    this.nodes.push({
      op_type: type,
      domain,
      input: inputs,
      output: [output],
      attribute: Object.entries(attributes).map(encodeAttribute),
    });
    return output;
  }

  /** Whether a value is a constant, or computed from constants alone. */
  isConstant(name: string): boolean {
    return this.constants.has(name);
  }

  /** The values of a constant; undefined for everything else. */
  constantData(name: string): AnyTypedArray | undefined {
    return this.constants.get(name);
  }

  /** Gives a value a second name; graph results need names of their own. */
  alias(input: string, output: string): void {
    this.nodes.push({ op_type: 'Identity', domain: '', input: [input], output: [output], attribute: [] });
  }

  /** Adds a constant and returns its name. */
  constant(data: AnyTypedArray, shape: Shape, dtype: DType): string {
    const name = this.freshName('c');
    this.constants.set(name, data);
    const bytes = viewAs('uint8', data.buffer, data.byteOffset, data.byteLength);
    const tensor = { name, dims: shape, data_type: elementTypes[dtype] };
    if (bytes.byteLength < externalThreshold) {
      this.initializers.push({ ...tensor, raw_data: bytes });
    } else {
      this.external.push({ name, data: bytes });
      this.initializers.push({ ...tensor, data_location: 1, external_data: [{ key: 'location', value: name }] });
    }
    return name;
  }

  /** A list of integers as a tensor of dtype int64, as shapes and axes are given. */
  integers(values: readonly number[]): string {
    const key = values.join();
    const known = this.integerLists.get(key);
    if (known) return known;
    const name = this.constant(BigInt64Array.from(values, BigInt), [values.length], 'int64');
    this.integerLists.set(key, name);
    return name;
  }

  /** A scalar of a number dtype. */
  scalar(value: number, dtype: DType): string {
    const data =
      dtype === 'int64'
        ? BigInt64Array.of(BigInt(value))
        : dtype === 'int32'
          ? Int32Array.of(value)
          : Float32Array.of(value);
    if (dtype === 'float32' || dtype === 'int32' || dtype === 'int64') return this.constant(data, [], dtype);
    return this.emit('Cast', [this.constant(Float32Array.of(value), [], 'float32')], {
      to: { int: elementTypes[dtype] },
    });
  }

  /** Zeros of a dtype. */
  zeros(shape: Shape, dtype: DType): string {
    return sizeOf(shape) === 1
      ? this.emit('Reshape', [this.scalar(0, dtype), this.integers(shape)])
      : this.emit('Expand', [this.scalar(0, dtype), this.integers(shape)]);
  }
}

function encodeAttribute([name, value]: [string, AttributeValue]): OnnxAttribute {
  if ('int' in value) return { name, type: 2, i: value.int };
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('ints' in value) return { name, type: 7, ints: value.ints };
  return { name, type: 3, s: new TextEncoder().encode(value.string) };
}
