import type { AnyTypedArray } from '../../dtype.js';
import { isElementwise } from '../../graph/elementwise.js';
import type { Graph, GraphNode } from '../../graph/graph.js';
import { sameShape } from '../../graph/shape.js';
import type { PrimitiveName } from '../../primitives/attributes.js';
import {
  type Code,
  constant,
  encodeLoopModule,
  getLocal,
  load,
  loadSplat,
  setLocal,
  store,
  type VectorInstruction,
  vector,
} from './encode-module.js';
import { webAssembly } from './web-assembly.js';

/** An elementwise program as one loop: a single pass over memory, where an operation at a time needs one for each. */
export interface FusedKernel {
  /**
   * @param inputs values by position; a vector has as many elements as the outputs, a scalar has one.
   * @param outputs where the results go; each may be one of the inputs.
   */
  run(inputs: readonly AnyTypedArray[], outputs: readonly AnyTypedArray[]): void;
}

/** Elements that are brought to the kernel at a time: those of all operands stay in a core's second-level cache. */
const tileSize = 8192;
const tileBytes = tileSize * 4;

/** Primitives as vector instructions on the stack. */
const instructions: Partial<Record<PrimitiveName, VectorInstruction>> = {
  neg: 'neg',
  abs: 'abs',
  sqrt: 'sqrt',
  floor: 'floor',
  ceil: 'ceil',
  round: 'nearest',
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  maximum: 'max',
  minimum: 'min',
  equal: 'equal',
  less: 'less',
  lessEqual: 'lessEqual',
  logicalNot: 'not',
  logicalAnd: 'and',
  logicalOr: 'or',
};

/** Memory of all kernels of a thread: a kernel keeps nothing there between runs. */
const memory = new webAssembly.Memory({ initial: 16 });

/**
 * Compiles an elementwise graph to WebAssembly with vector instructions.
 *
 * @returns `undefined` where the graph needs what these instructions lack (an exponential, integers), or where the
 *   processor lacks the instructions.
 */
export function fuseElementwise(graph: Graph): FusedKernel | undefined {
  const layout = isElementwise(graph) ? layOut(graph) : undefined;
  if (!layout) return undefined;
  const codes = graph.nodes.map((node, index) => codeOf(node, index, layout));
  if (codes.some((code) => code === undefined)) return undefined;
  const isSetUp = graph.nodes.map(({ kind }, index) => kind === 'constant' || layout.scalars.has(index));
  const before = codes.filter((_, index) => isSetUp[index]).flatMap((code) => code!);
  const body = codes.filter((_, index) => !isSetUp[index]).flatMap((code) => code!);
  const stores = graph.outputs.flatMap((output, index) => [
    ...getLocal(1),
    ...getLocal(localOf(output)),
    ...store(layout.outputOffset(index)),
  ]);
  const bytes = encodeLoopModule(before, [...body, ...stores], graph.nodes.length);
  if (!webAssembly.validate(bytes)) return undefined;
  const missing = layout.bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const { exports } = new webAssembly.Instance(new webAssembly.Module(bytes), { host: { memory } });
  return { run: (inputs, outputs) => runTiles(exports.run as (end: number) => void, layout, inputs, outputs) };
}

/** Where the kernel finds its operands: tiles of vectors first, then one place per scalar. */
interface Layout {
  /** Position and offset by node. */
  readonly vectors: ReadonlyMap<number, { readonly position: number; readonly offset: number }>;
  readonly scalars: ReadonlyMap<number, { readonly position: number; readonly offset: number }>;
  outputOffset(index: number): number;
  readonly bytes: number;
}

function layOut({ nodes, outputs }: Graph): Layout | undefined {
  const shape = nodes[outputs[0]!]!.shape;
  if (nodes.some(({ kind, dtype }) => dtype !== 'float32' && !(dtype === 'bool' && kind === 'operation')))
    return undefined;
  if (outputs.some((output) => nodes[output]!.dtype !== 'float32')) return undefined;
  const inputs = [...nodes.entries()].flatMap(([index, node]) => (node.kind === 'input' ? [{ index, node }] : []));
  const vectorInputs = inputs.filter(({ node }) => sameShape(node.shape, shape));
  const scalarInputs = inputs.filter(({ node }) => !sameShape(node.shape, shape));
  const scalarStart = (vectorInputs.length + outputs.length) * tileBytes;
  return {
    vectors: new Map(
      vectorInputs.map(({ index, node }, slot) => [index, { position: node.position, offset: slot * tileBytes }]),
    ),
    scalars: new Map(
      scalarInputs.map(({ index, node }, slot) => [index, { position: node.position, offset: scalarStart + slot * 4 }]),
    ),
    outputOffset: (index) => (vectorInputs.length + index) * tileBytes,
    bytes: scalarStart + scalarInputs.length * 4,
  };
}

/** Every node's value is a local variable. */
function localOf(node: number): number {
  return 2 + node;
}

function codeOf(node: GraphNode, index: number, { vectors, scalars }: Layout): Code | undefined {
  const result = setLocal(localOf(index));
  switch (node.kind) {
    case 'input': {
      const vectorInput = vectors.get(index);
      if (vectorInput) return [...getLocal(1), ...load(vectorInput.offset), ...result];
      return [...loadSplat(scalars.get(index)!.offset), ...result];
    }
    case 'constant':
      return [...constant(Number(node.data[0])), ...result];
    case 'resident':
      return undefined;
    case 'operation': {
      const operands = node.inputs.map((input) => getLocal(localOf(input)));
      if (node.op === 'reciprocal') return [...constant(1), ...operands[0]!, ...vector('div'), ...result];
      if (node.op === 'relu') return [...operands[0]!, ...constant(0), ...vector('max'), ...result];
      if (node.op === 'where')
        return [...operands[1]!, ...operands[2]!, ...operands[0]!, ...vector('select'), ...result];
      const instruction = instructions[node.op];
      return instruction && [...operands.flat(), ...vector(instruction), ...result];
    }
  }
}

function runTiles(
  run: (end: number) => void,
  { vectors, scalars, outputOffset }: Layout,
  inputs: readonly AnyTypedArray[],
  outputs: readonly AnyTypedArray[],
): void {
  const { buffer } = memory;
  for (const { position, offset } of scalars.values())
    new Float32Array(buffer, offset, 1).set(inputs[position] as Float32Array);
  const total = outputs[0]!.length;
  for (let start = 0; start < total; start += tileSize) {
    const count = Math.min(tileSize, total - start);
    for (const { position, offset } of vectors.values()) {
      new Float32Array(buffer, offset, count).set((inputs[position] as Float32Array).subarray(start, start + count));
    }
    run(count * 4);
    outputs.forEach((output, index) => {
      (output as Float32Array).set(new Float32Array(buffer, outputOffset(index), count), start);
    });
  }
}
