import type { Tensor } from '../../tensor.js';
import type { ElementType } from './element-types.js';
import type { KnownValues } from './known-values.js';
import { type Attribute, type ModelGraph, type ModelNode, operatorName } from './model.js';
import { OnnxError } from './onnx-error.js';
import type { StoredTensor } from './stored-tensor.js';

/** What an operator may ask beside its node. */
export interface NodeSurroundings {
  readonly file: string | undefined;
  /** Version of the operators of ONNX itself. */
  readonly opset: number;
  readonly known: KnownValues;
  /** Types of tensors that are held in a wider dtype. */
  readonly narrowTypes: WeakMap<Tensor, ElementType>;
  /** Runs a graph that is an attribute: its results. */
  readonly run: (graph: ModelGraph) => Tensor[];
}

/**
 * A node with the tensors it is applied to. What a node has and its operator did not ask for is not supported, and said
 * so by {@link requireAllRead}: nothing is left out in silence.
 */
export class NodeContext {
  readonly opset: number;
  private readonly readInputs = new Set<number>();
  private readonly readAttributes = new Set<string>();

  constructor(
    readonly node: ModelNode,
    private readonly inputs: readonly (Tensor | undefined)[],
    private readonly surroundings: NodeSurroundings,
  ) {
    this.opset = surroundings.opset;
  }

  /** How many inputs there are, those left out in between included. */
  get inputCount(): number {
    return this.inputs.length;
  }

  /** How many results there are up to the last that is used. */
  get outputCount(): number {
    return this.node.outputs.findLastIndex((name) => name !== '') + 1;
  }

  input(index: number): Tensor {
    const tensor = this.optional(index);
    if (tensor) return tensor;
    throw this.refusal(
      `an input ${index}`,
      `${this.inputs.length} inputs${index < this.inputs.length ? ', without it' : ''}`,
    );
  }

  optional(index: number): Tensor | undefined {
    this.readInputs.add(index);
    return this.inputs[index];
  }

  /** All inputs, of which there is at least one. */
  all(): Tensor[] {
    return Array.from({ length: Math.max(1, this.inputs.length) }, (_, index) => this.input(index));
  }

  /** Type of an input's elements in the file. */
  typeOf(tensor: Tensor): ElementType {
    return this.surroundings.narrowTypes.get(tensor) ?? tensor.dtype;
  }

  /** Says that the elements of a result are of a type that is narrower than its dtype. */
  mark(tensor: Tensor, type: ElementType): Tensor {
    if (type !== tensor.dtype) this.surroundings.narrowTypes.set(tensor, type);
    return tensor;
  }

  /** Elements of an input that have to be known while recording. */
  numbers(index: number): number[] {
    return this.known(index, this.input(index));
  }

  optionalNumbers(index: number): number[] | undefined {
    const tensor = this.optional(index);
    return tensor && this.known(index, tensor);
  }

  /** {@link numbers} of an input with one element. */
  number(index: number): number {
    const [value, ...others] = this.numbers(index);
    if (value !== undefined && others.length === 0) return value;
    throw this.refusal(`one element as input ${index}`, `${others.length + (value === undefined ? 0 : 1)}`);
  }

  /** Elements of a tensor if they are known. */
  knownNumbers(tensor: Tensor): Float64Array | undefined {
    return this.surroundings.known.numbersOf(tensor);
  }

  /** The element of a tensor with one, if it is known. */
  knownScalar(tensor: Tensor): number | undefined {
    return tensor.size === 1 ? this.knownNumbers(tensor)?.[0] : undefined;
  }

  int(name: string): number;
  int<Default extends number | undefined>(name: string, missing: Default): number | Default;
  int(name: string, ...missing: readonly [(number | undefined)?]): number | undefined {
    return this.attribute(name, 'int', missing);
  }

  /** An integer that stands for yes or no. */
  flag(name: string, missing = false): boolean {
    const value = this.int(name, missing ? 1 : 0);
    if (value === 0 || value === 1) return value === 1;
    throw this.refusal(`attribute ${name} of 0 or 1`, String(value));
  }

  float(name: string, missing: number): number {
    return this.attribute(name, 'float', [missing])!;
  }

  optionalFloat(name: string): number | undefined {
    return this.attribute(name, 'float', [undefined]);
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name, 'ints', [undefined]);
  }

  floats(name: string): readonly number[] | undefined {
    return this.attribute(name, 'floats', [undefined]);
  }

  /** One of several words. */
  word<Word extends string>(name: string, words: readonly Word[], missing: Word): Word {
    const value = this.attribute<'string', string>(name, 'string', [missing]) as Word;
    if (words.includes(value)) return value;
    throw this.refusal(`attribute ${name} among ${words.join(', ')}`, JSON.stringify(value));
  }

  text(name: string): string {
    return this.attribute(name, 'string', [])!;
  }

  tensor(name: string): StoredTensor | undefined {
    return this.attribute(name, 'tensor', [undefined]);
  }

  /** Results of a graph that is an attribute. */
  run(name: string): Tensor[] {
    return this.surroundings.run(this.attribute<'graph', ModelGraph>(name, 'graph', [])!);
  }

  /** Counts attributes as asked for that change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.readAttributes.add(name);
  }

  /** @throws OnnxError for an input or an attribute that the operator did not ask for */
  requireAllRead(): void {
    const attribute = [...this.node.attributes.keys()].find((name) => !this.readAttributes.has(name));
    if (attribute !== undefined) {
      const supported = [...this.readAttributes].join(', ') || 'none';
      throw this.refusal(`attributes among ${supported}`, `${attribute}, which is not supported`);
    }
    const input = this.inputs.findIndex((tensor, index) => tensor && !this.readInputs.has(index));
    if (input >= 0) throw this.refusal(`no input ${input}`, 'one, which is not supported');
  }

  /** An error about this node. */
  refusal(expected: string, received: string, remedy?: string, cause?: unknown): OnnxError {
    return new OnnxError({
      operation: 'OnnxModule.forward',
      file: this.surroundings.file,
      node: this.node.name,
      operator: operatorName(this.node),
      expected,
      received,
      remedy,
      cause,
    });
  }

  private known(index: number, tensor: Tensor): number[] {
    const numbers = this.knownNumbers(tensor);
    if (numbers) return Array.from(numbers);
    throw this.refusal(
      `an input ${index} that follows from shapes and constants`,
      'one that is computed from the values of the arguments',
      'Export the model so that shapes do not depend on data.',
    );
  }

  private attribute<Kind extends Attribute['kind'], Value = Extract<Attribute, { kind: Kind }>['value']>(
    name: string,
    kind: Kind,
    missing: readonly [(Value | undefined)?],
  ): Value | undefined {
    this.readAttributes.add(name);
    const attribute = this.node.attributes.get(name);
    if (attribute?.kind === kind) return attribute.value as Value;
    if (attribute) throw this.refusal(`attribute ${name} as ${kind}`, attribute.kind);
    if (missing.length > 0) return missing[0];
    throw this.refusal(`an attribute ${name}`, 'none');
  }
}

/** What records an operator: its result, or all of them; undefined for one that is not supported. */
export type Operator = (context: NodeContext) => Tensor | readonly (Tensor | undefined)[];
