import { modelType } from '../schema.js';
import { describeElementType, elementTypeOf, supportedElementTypes } from './element-types.js';
import type { Attribute, DeclaredSize, Model, ModelGraph, ModelNode, OnnxValueInfo } from './model.js';
import { operatorName } from './model.js';
import type { ModelSource } from './model-source.js';
import { OnnxError } from './onnx-error.js';
import { type Disorder, sortNodes } from './sort-nodes.js';
import { type StoredTensor, storedTensor, type TensorMessage } from './stored-tensor.js';
import { type Integer64, wholeNumber } from './whole-number.js';

/** Versions of ONNX's operators that are read. */
export const supportedOpsets = { first: 11, last: 22 } as const;

/** The domain of ONNX Runtime's own operators. */
export const microsoft = 'com.microsoft';

interface GraphMessage {
  readonly node: readonly NodeMessage[];
  readonly initializer: readonly TensorMessage[];
  readonly sparse_initializer: readonly { readonly values: TensorMessage | null }[];
  readonly input: readonly ValueMessage[];
  readonly output: readonly ValueMessage[];
}

interface NodeMessage {
  readonly name: string;
  readonly op_type: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: Integer64;
  readonly s: Uint8Array;
  readonly t: TensorMessage | null;
  readonly g: GraphMessage | null;
  readonly floats: readonly number[];
  readonly ints: readonly Integer64[];
  readonly strings: readonly Uint8Array[];
}

interface DimensionMessage {
  readonly dim_value: Integer64;
  readonly dim_param: string;
}

interface ValueMessage {
  readonly name: string;
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: number;
      readonly shape: { readonly dim: readonly DimensionMessage[] } | null;
    } | null;
  } | null;
}

interface ModelMessage {
  readonly producer_name: string;
  readonly producer_version: string;
  readonly graph: GraphMessage | null;
  readonly opset_import: readonly { readonly domain: string; readonly version: Integer64 }[];
}

/**
 * Reads the structure of a model; large tensors are left where they are.
 *
 * @throws OnnxError that says what is malformed or not supported
 */
export function readModel(source: ModelSource): Model {
  const bytes = source.model();
  const message = decode(bytes, source);
  const refuse = (expected: string, received: string, remedy?: string) =>
    new OnnxError({ operation: 'importOnnx', file: source.file, expected, received, remedy });
  if (!message.graph || message.opset_import.length === 0) {
    throw refuse('an ONNX model with a graph', 'a message without one', 'Check that it is an ONNX model.');
  }
  const versions = new Map(
    message.opset_import.map(({ domain, version }) => [domainOf(domain), wholeNumber(version)] as const),
  );
  const opset = versions.get('') ?? 0;
  const { first, last } = supportedOpsets;
  if (opset < first || opset > last) {
    throw refuse(
      `operators of ONNX in a version from ${first} to ${last}`,
      versions.has('') ? `opset ${opset}` : 'none',
      'Export the model anew with such an opset_version, or convert it with onnx.version_converter.',
    );
  }
  const { producer_name: name, producer_version: version } = message;
  return {
    file: source.file,
    producer: version === '' ? name : `${name} ${version}`,
    opset,
    graph: new GraphReader(source, bytes, versions).read(message.graph, new Set()),
  };
}

function decode(bytes: Uint8Array, { file }: ModelSource): ModelMessage {
  try {
    return modelType.decode(bytes) as unknown as ModelMessage;
  } catch (cause) {
    throw new OnnxError({
      operation: 'importOnnx',
      file,
      expected: 'an ONNX model',
      received: `${bytes.length} bytes that are none (${cause instanceof Error ? cause.message : String(cause)})`,
      remedy: 'Check that the file is an ONNX model, and complete; files of Git LFS have to be fetched.',
      cause,
    });
  }
}

function domainOf(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

class GraphReader {
  constructor(
    private readonly source: ModelSource,
    private readonly bytes: Uint8Array,
    private readonly versions: ReadonlyMap<string, number>,
  ) {}

  /** @param outer names of the surrounding graphs */
  read(message: GraphMessage, outer: ReadonlySet<string>): ModelGraph {
    if (message.sparse_initializer.length > 0) {
      throw this.refuse('dense tensors', `${message.sparse_initializer.length} sparse ones`);
    }
    const constants = new Map<string, StoredTensor>();
    for (const tensor of message.initializer) {
      if (tensor.name === '' || constants.has(tensor.name)) {
        throw this.refuse('constants of different names', `${JSON.stringify(tensor.name)} twice or without a name`);
      }
      constants.set(tensor.name, storedTensor(tensor, tensor.name, this.source, this.bytes));
    }
    const inputs = message.input.filter(({ name }) => !constants.has(name)).map((input) => this.input(input));
    const given = new Set([...outer, ...constants.keys(), ...inputs.map(({ name }) => name)]);
    const all = new Set([...given, ...message.node.flatMap(({ output }) => output)]);
    const read: ModelNode[] = [];
    const computed = new Set<string>();
    for (const each of message.node) {
      const node = this.node(each, all);
      const again = node.outputs.find((name) => name !== '' && (computed.has(name) || constants.has(name)));
      if (again !== undefined) throw this.refuse('results of different names', `${JSON.stringify(again)} twice`, node);
      for (const name of node.outputs) computed.add(name);
      const constant = constantOf(node);
      if (constant) constants.set(node.outputs[0]!, constant);
      else read.push(node);
    }
    const defined = new Set([...given, ...constants.keys()]);
    const nodes = sortNodes(read, defined);
    if (!Array.isArray(nodes)) {
      const { node, missing } = nodes as Disorder;
      throw this.refuse(
        'inputs that can be computed before the node',
        `${JSON.stringify(missing)}, which cannot`,
        node,
      );
    }
    for (const name of computed) defined.add(name);
    const outputs = message.output.map(({ name }) => name);
    const absent = outputs.find((name) => !defined.has(name));
    if (outputs.length === 0 || absent !== undefined) {
      throw this.refuse(
        'results that the graph computes',
        absent === undefined ? 'none' : `${JSON.stringify(absent)}, which it does not`,
      );
    }
    return { nodes, constants, inputs, outputs };
  }

  private input({ name, type }: ValueMessage): OnnxValueInfo {
    const tensor = type?.tensor_type;
    const place = `as input ${JSON.stringify(name)}`;
    if (!tensor) throw this.refuse(`a tensor ${place}`, 'something else');
    const elementType = elementTypeOf(tensor.elem_type);
    if (elementType === undefined) {
      throw this.refuse(
        `a tensor of ${supportedElementTypes.join(', ')} ${place}`,
        describeElementType(tensor.elem_type),
      );
    }
    return { name, type: elementType, shape: tensor.shape?.dim.map(declaredSize) };
  }

  private node(message: NodeMessage, defined: ReadonlySet<string>): ModelNode {
    const node = {
      name: message.name === '' ? (message.output[0] ?? '') : message.name,
      type: message.op_type,
      domain: domainOf(message.domain),
      inputs: message.input,
      outputs: message.output,
    };
    if (!this.versions.has(node.domain)) {
      throw this.refuse('a domain of operators that the model says the version of', JSON.stringify(node.domain), node);
    }
    const attributes = new Map<string, Attribute>();
    for (const each of message.attribute) {
      if (attributes.has(each.name)) {
        throw this.refuse('attributes of different names', `${each.name} twice`, node);
      }
      attributes.set(each.name, this.attribute(each, node, defined));
    }
    return { ...node, attributes };
  }

  private attribute(
    message: AttributeMessage,
    node: Pick<ModelNode, 'name' | 'type' | 'domain'>,
    defined: ReadonlySet<string>,
  ): Attribute {
    switch (message.type) {
      case 1:
        return { kind: 'float', value: message.f };
      case 2:
        return { kind: 'int', value: wholeNumber(message.i) };
      case 3:
        return { kind: 'string', value: new TextDecoder().decode(message.s) };
      case 4:
        if (!message.t) break;
        return {
          kind: 'tensor',
          value: storedTensor(message.t, `${message.name} of ${node.name}`, this.source, this.bytes),
        };
      case 5:
        if (!message.g) break;
        return { kind: 'graph', value: this.read(message.g, defined) };
      case 6:
        return { kind: 'floats', value: message.floats };
      case 7:
        return { kind: 'ints', value: message.ints.map(wholeNumber) };
      case 8:
        return { kind: 'strings', value: message.strings.map((text) => new TextDecoder().decode(text)) };
    }
    throw this.refuse(
      `attribute ${message.name} to be a number, a string, a tensor, a graph, or a list`,
      `type ${message.type}`,
      node,
    );
  }

  private refuse(expected: string, received: string, node?: Pick<ModelNode, 'name' | 'type' | 'domain'>): OnnxError {
    return new OnnxError({
      operation: 'importOnnx',
      file: this.source.file,
      expected,
      received,
      ...(node && { node: node.name, operator: operatorName(node) }),
    });
  }
}

function declaredSize({ dim_value: value, dim_param: name }: DimensionMessage): DeclaredSize {
  if (name !== '') return name;
  const size = wholeNumber(value);
  // Nothing is said where it is 0: the reader cannot tell that from a field that is not there.
  return size > 0 ? size : undefined;
}

/** The tensor of a node that only gives one: it is a constant of the graph like the others. */
function constantOf({ type, domain, outputs, attributes }: ModelNode): StoredTensor | undefined {
  const value = attributes.get('value');
  const isConstant = type === 'Constant' && domain === '' && outputs.length === 1 && attributes.size === 1;
  return isConstant && value?.kind === 'tensor' ? value.value : undefined;
}
