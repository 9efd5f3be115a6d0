import type { AnyTypedArray, DType } from '../dtype.js';
import { EngineError } from '../errors.js';
import { isElementwise } from '../graph/elementwise.js';
import type { Graph, OperationNode } from '../graph/graph.js';
import { type Shape, sameShape } from '../graph/shape.js';
import type { PrimitiveName } from '../primitives/attributes.js';
import { type ExternalConstant, OnnxBuilder } from './builder.js';
import { type LoweringContext, lowerings } from './lowering.js';
import { elementTypes, type OnnxGraph, type OnnxValue } from './schema.js';

/** Random numbers that a model takes as an argument, with the key they are drawn under: an argument, or known already. */
export interface RandomInput {
  readonly name: string;
  readonly shape: Shape;
  readonly stream: number;
  readonly key: number | Int32Array;
}

/** A graph as an ONNX model. */
export interface LoweredModel {
  readonly model: OnnxGraph;
  /** Values of the model's large constants, by name. */
  readonly external: readonly ExternalConstant[];
  /** Names of the arguments by position; `undefined` where a position is not used. */
  readonly inputNames: readonly (string | undefined)[];
  readonly outputNames: readonly string[];
  readonly randomInputs: readonly RandomInput[];
  /** Whether every non-scalar is one vector of any length `n`, so that it can run in tiles. */
  readonly isElementwise: boolean;
}

export interface LowerOptions {
  /** Values behind a `resident` node; those of bfloat16 as float32. */
  readonly resident?: (buffer: number) => AnyTypedArray;
  /** Names of arguments and results, for models that people read. */
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
  /** Declare the shapes as they are even where any length would do. */
  readonly fixedShapes?: boolean;
}

/** Writes a graph as an ONNX model. */
export function lower(graph: Graph, options: LowerOptions = {}): LoweredModel {
  const builder = new OnnxBuilder();
  const elementwise = !options.fixedShapes && isElementwise(graph);
  const full = graph.nodes[graph.outputs[0]!]!.shape;
  const declare = (name: string, dtype: DType, shape: Shape): OnnxValue => ({
    name,
    // bfloat16 cannot cross the runtime's boundary: it travels as float32.
    elementType: elementTypes[dtype === 'bfloat16' ? 'float32' : dtype],
    shape: elementwise ? (sameShape(shape, full) ? ['n'] : []) : shape,
  });

  // Where any length will do, constants of one element have no more axes than what they meet.
  const constantShape = (shape: Shape): Shape => (elementwise ? (sameShape(shape, full) ? [1] : []) : shape);

  const names: string[] = [];
  const inputs: OnnxValue[] = [];
  const inputNames = new Array<string | undefined>(graph.inputCount).fill(undefined);
  // Equal draws are one argument: a checkpoint that runs again drops the same elements.
  const draws = new Map<string, RandomInput>();
  const used = usedNodes(graph);
  graph.nodes.forEach((node, index) => {
    if (!used.has(index)) {
      names.push('');
      return;
    }
    switch (node.kind) {
      case 'input': {
        const name = options.inputNames?.[node.position] ?? `input${node.position}`;
        inputNames[node.position] = name;
        inputs.push(declare(name, node.dtype, node.shape));
        names.push(
          node.dtype === 'bfloat16' ? builder.emit('Cast', [name], { to: { int: elementTypes.bfloat16 } }) : name,
        );
        break;
      }
      case 'constant':
        names.push(builder.constant(node.data, constantShape(node.shape), node.dtype));
        break;
      case 'resident': {
        const data = options.resident?.(node.buffer);
        if (!data) {
          throw new EngineError({
            operation: 'lower',
            expected: 'the values behind a resident buffer',
            received: `buffer ${node.buffer}`,
          });
        }
        names.push(
          node.dtype === 'bfloat16'
            ? builder.emit('Cast', [builder.constant(data, constantShape(node.shape), 'float32')], {
                to: { int: elementTypes.bfloat16 },
              })
            : builder.constant(data, constantShape(node.shape), node.dtype),
        );
        break;
      }
      case 'operation':
        if (node.op === 'randomUniform') {
          const { shape, stream } = node.attributes;
          const draw = `${node.inputs[0]} ${stream} ${shape.join()}`;
          const random = draws.get(draw) ?? randomInput(graph, node, builder.freshName('random'));
          if (!draws.has(draw)) {
            draws.set(draw, random);
            inputs.push(declare(random.name, 'float32', random.shape));
          }
          names.push(random.name);
        } else {
          const context = {
            node,
            inputs: node.inputs.map((input) => names[input]!),
            shapes: node.inputs.map((input) => graph.nodes[input]!.shape),
            builder,
          };
          names.push((lowerings[node.op] as (context: LoweringContext<PrimitiveName>) => string)(context as never));
        }
    }
  });

  const outputNames = graph.outputs.map((output, position) => {
    const name = options.outputNames?.[position] ?? `output${position}`;
    const value = names[output]!;
    const isHalf = graph.nodes[output]!.dtype === 'bfloat16';
    builder.alias(isHalf ? builder.emit('Cast', [value], { to: { int: elementTypes.float32 } }) : value, name);
    return name;
  });
  const outputs = graph.outputs.map((output, position) => {
    const { dtype, shape } = graph.nodes[output]!;
    return declare(outputNames[position]!, dtype, shape);
  });
  // Constants that were arranged otherwise are left out.
  const read = new Set(builder.nodes.flatMap(({ input }) => input));
  const initializers = builder.initializers.filter(({ name: constant }) => read.has(constant));
  const model = { nodes: builder.nodes, initializers, inputs, outputs };
  return {
    model,
    external: builder.external.filter(({ name: constant }) => read.has(constant)),
    inputNames,
    outputNames,
    randomInputs: [...draws.values()],
    isElementwise: elementwise,
  };
}

/** Indices of the nodes that some output needs. */
function usedNodes({ nodes, outputs }: Graph): ReadonlySet<number> {
  const used = new Set(outputs);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (!used.has(index) || node.kind !== 'operation') continue;
    // The key of random numbers is read by the engine, not by the model.
    if (node.op !== 'randomUniform') for (const input of node.inputs) used.add(input);
  }
  return used;
}

function randomInput(graph: Graph, node: OperationNode<'randomUniform'>, name: string): RandomInput {
  const { shape, stream } = node.attributes;
  const key = graph.nodes[node.inputs[0]!]!;
  if (key.kind === 'input') return { name, shape, stream, key: key.position };
  if (key.kind === 'constant') return { name, shape, stream, key: key.data as Int32Array };
  throw new EngineError({
    operation: 'randomUniform',
    expected: 'a key that is an argument of the program or a constant',
    received: key.kind === 'operation' ? `the result of ${key.op}` : `a ${key.kind} value`,
    remedy: 'Make keys with streamKey and derive others with foldStream.',
  });
}
