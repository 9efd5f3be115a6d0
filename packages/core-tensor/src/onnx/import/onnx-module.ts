import { convert, type TypedArrayOf } from '../../dtype.js';
import { DTypeError, formatShape, ShapeError } from '../../errors.js';
import { sizeOf } from '../../graph/shape.js';
import { Module } from '../../nn/module.js';
import { Parameter } from '../../nn/parameter.js';
import type { Tensor } from '../../tensor.js';
import { computedAs, storageOf } from './element-types.js';
import type { Model, ModelGraph, OnnxValueInfo } from './model.js';
import { constantTensor } from './operators/convert.js';
import { type GraphConstant, runGraph } from './run-graph.js';
import type { StoredTensor } from './stored-tensor.js';

/** Integers of up to so many elements are part of the recorded graph: shapes, axes, positions. */
const inlineIntegers = 16;

/** The structure behind a module; a class, so that a module does not look for parameters in it. */
class RecordedModel {
  constructor(
    readonly model: Model,
    readonly graph: ModelGraph,
    readonly constants: ReadonlyMap<string, GraphConstant>,
  ) {}
}

/**
 * An ONNX graph as a module: its operators are recorded like any others, so it runs on every engine, compiles, has
 * gradients and can be exported again. Its parameters never train, and `initialize` gives them the file's values.
 */
export class OnnxModule extends Module {
  /**
   * Tensors of the file by their names: floats of at least one axis, and bytes of quantized weights. Scalars, and
   * integers such as axes and positions, are parts of the graph.
   */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** What {@link forward} needs. */
  readonly inputs: readonly OnnxValueInfo[];
  /** Names of what {@link forward} gives. */
  readonly outputs: readonly string[];
  /** Version of ONNX's operators that the file is written in. */
  readonly opset: number;
  /** What wrote the file, as far as it says so. */
  readonly producer: string;
  /** Names of the files beside the model that hold its large tensors. */
  readonly externalFiles: readonly string[];
  private readonly recorded: RecordedModel;

  /** @internal Use {@link importOnnx}. */
  constructor(model: Model, graph: ModelGraph, externalFiles: readonly string[]) {
    super();
    const constants = new Map([...graph.constants].map(([name, stored]) => [name, graphConstant(stored)] as const));
    this.recorded = new RecordedModel(model, graph, constants);
    this.parameters = Object.fromEntries(
      [...constants].flatMap(([name, { tensor }]) => (tensor instanceof Parameter ? [[name, tensor]] : [])),
    );
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
    this.opset = model.opset;
    this.producer = model.producer;
    this.externalFiles = externalFiles;
  }

  /**
   * Records the graph for arguments of these shapes. Everything that follows from shapes and constants is computed while
   * recording.
   *
   * @param inputs by name, each of the type that the file says (`float64` as `float32`, small integers as `int32`)
   * @returns results by name
   * @throws ShapeError or DTypeError for an argument that does not fit, and for one that is missing or unknown; one that
   *   the file has and the results do not need is not looked at
   * @throws OnnxError that names the node which cannot be recorded: its attributes, inputs or shapes are not supported
   */
  forward(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    const { model, graph, constants } = this.recorded;
    checkInputs(this.inputs, inputs, model.graph.inputs);
    const given = new Map(this.inputs.map(({ name }) => [name, inputs[name]!]));
    const results = runGraph(graph, { file: model.file, opset: model.opset, constants, inputs: given });
    return Object.fromEntries(this.outputs.map((name, index) => [name, results[index]!]));
  }
}

function graphConstant(stored: StoredTensor): GraphConstant {
  const { type, shape } = stored;
  const dtype = computedAs(type);
  const isFloat = dtype.includes('float');
  const isBytes = type === 'uint8' || type === 'int8' || type === 'uint4' || type === 'int4';
  const isPart = shape.length === 0 || !(isFloat || (isBytes && sizeOf(shape) > inlineIntegers));
  if (isPart) return { stored, tensor: constantTensor(stored) };
  // Floats and bytes are exact in float32, which initializers draw.
  const storage = storageOf(type);
  const initializer = () => convert(stored.read() as TypedArrayOf<'float64'>, storage as 'float64', 'float32');
  return { stored, tensor: new Parameter(shape, { dtype, trainable: false, initializer }) };
}

function checkInputs(
  declared: readonly OnnxValueInfo[],
  inputs: Readonly<Record<string, Tensor>>,
  all: readonly OnnxValueInfo[],
): void {
  const operation = 'OnnxModule.forward';
  const names = declared.map(({ name }) => name);
  const list = names.join(', ') || 'none';
  const missing = names.find((name) => !Object.hasOwn(inputs, name));
  if (missing !== undefined) {
    const received = Object.keys(inputs).join(', ') || 'none';
    throw new ShapeError({ operation, expected: `arguments ${list}`, received: `${received}, without ${missing}` });
  }
  const unknown = Object.keys(inputs).find((given) => !all.some(({ name }) => name === given));
  if (unknown !== undefined)
    throw new ShapeError({ operation, expected: `arguments ${list}`, received: `${unknown} too` });
  const sizes = new Map<string, number>();
  for (const { name, type, shape } of declared) {
    const tensor = inputs[name]!;
    const dtype = computedAs(type);
    if (tensor.dtype !== dtype) {
      throw new DTypeError({ operation, expected: `${name} of ${dtype}`, received: tensor.dtype });
    }
    const fits =
      shape === undefined ||
      (shape.length === tensor.shape.length &&
        shape.every((size, axis) => {
          const actual = tensor.shape[axis]!;
          if (typeof size !== 'string') return size === undefined || size === actual;
          const known = sizes.get(size) ?? actual;
          sizes.set(size, known);
          return known === actual;
        }));
    if (fits) continue;
    throw new ShapeError({
      operation,
      expected: `${name} [${shape.map((size) => size ?? '?').join(', ')}], names standing for one size each`,
      received: `${formatShape(tensor.shape)}`,
      remedy: 'Give the sizes that the model was exported for.',
    });
  }
}
