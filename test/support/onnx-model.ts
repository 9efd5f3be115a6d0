import { type AnyTypedArray, type StorageDType, sizeOf, type Tensor, tensor } from '@ocelli/core-tensor';
import { elementTypeOf } from '../../packages/core-tensor/src/onnx/import/element-types.js';
import { modelType } from '../../packages/core-tensor/src/onnx/schema.js';

/** The value of an attribute; a plain number is an integer. */
export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: ConstantSpec }
  | { readonly graph: GraphSpec };

/** Values of a constant. */
export interface ConstantSpec {
  readonly type: StorageDType | 'int4' | 'uint4';
  readonly shape: readonly number[];
  readonly data: AnyTypedArray;
}

export interface NodeSpec {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  readonly domain?: string;
  readonly name?: string;
}

export interface GraphSpec {
  /** Type and sizes; a text is the name of a size. */
  readonly inputs?: Readonly<Record<string, readonly [type: string, shape: readonly (number | string)[]]>>;
  readonly constants?: Readonly<Record<string, ConstantSpec>>;
  readonly nodes: readonly NodeSpec[];
  /** Types of the results by name. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface ModelSpec extends GraphSpec {
  readonly opset?: number;
}

/** Number of an element type by name (`TensorProto.DataType`). */
export function typeNumber(type: string): number {
  const number = Array.from({ length: 30 }, (_, each) => each).find((each) => elementTypeOf(each) === type);
  if (number === undefined) throw new Error(`no element type ${type}`);
  return number;
}

/** A node with one result. */
export function node(
  type: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, AttributeSpec>> = {},
  domain = '',
): NodeSpec {
  return { type, inputs, outputs: [output], attributes, domain };
}

/** Constants of 32-bit floats. */
export function floats(
  shape: readonly number[],
  values: readonly number[] | ((index: number) => number),
): ConstantSpec {
  const element = typeof values === 'function' ? values : (index: number) => values[index]!;
  return { type: 'float32', shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => element(index)) };
}

/** Constants of 64-bit integers: a list, or a scalar. */
export function ints(values: readonly (number | bigint)[] | number, shape?: readonly number[]): ConstantSpec {
  const list = typeof values === 'number' ? [values] : values;
  return {
    type: 'int64',
    shape: shape ?? (typeof values === 'number' ? [] : [list.length]),
    data: BigInt64Array.from(list, BigInt),
  };
}

/** Numbers without a pattern in [−1, 1]. */
export function noise(seed: number): (index: number) => number {
  return (index) => {
    const x = Math.sin((index + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  };
}

/** The bytes of an ONNX file. */
export function onnxModel({ opset = 17, ...graph }: ModelSpec): Uint8Array {
  const message = modelType.fromObject({
    ir_version: 8,
    producer_name: 'test',
    opset_import: [
      { domain: '', version: opset },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: graphMessage(graph),
  });
  return new Uint8Array(modelType.encode(message).finish());
}

function graphMessage({ inputs = {}, constants = {}, nodes, outputs }: GraphSpec): object {
  const value = (name: string, type: string, shape?: readonly (number | string)[]) => ({
    name,
    type: {
      tensor_type: {
        elem_type: typeNumber(type),
        ...(shape && {
          shape: { dim: shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size })) },
        }),
      },
    },
  });
  return {
    name: 'test',
    node: nodes.map(({ type, inputs: from, outputs: to, attributes = {}, domain = '', name = '' }) => ({
      op_type: type,
      domain,
      name,
      input: from,
      output: to,
      attribute: Object.entries(attributes).map(([key, each]) => ({ name: key, ...attributeMessage(each) })),
    })),
    initializer: Object.entries(constants).map(([name, constant]) => tensorMessage(name, constant)),
    input: Object.entries(inputs).map(([name, [type, shape]]) => value(name, type, shape)),
    output: Object.entries(outputs).map(([name, type]) => value(name, type)),
  };
}

export function tensorMessage(name: string, { type, shape, data }: ConstantSpec): object {
  return {
    name,
    dims: shape,
    data_type: typeNumber(type),
    raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function attributeMessage(value: AttributeSpec): object {
  if (typeof value === 'number') return { type: 2, i: value };
  if (typeof value === 'string') return { type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: 1, f: value.float };
  if ('floats' in value) return { type: 6, floats: value.floats };
  if ('tensor' in value) return { type: 4, t: tensorMessage('', value.tensor) };
  if ('graph' in value) return { type: 5, g: graphMessage(value.graph) };
  return { type: 7, ints: value };
}

/** A float argument of noise. */
export function argument(shape: readonly number[], seed = 1, scale = 1): Tensor {
  const element = noise(seed);
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, index) => scale * element(index)),
    shape,
  );
}
