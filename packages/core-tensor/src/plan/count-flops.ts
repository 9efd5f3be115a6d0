import type { Graph, GraphNode, OperationNode } from '../graph/graph.js';
import { sizeOf } from '../graph/shape.js';
import type { PrimitiveName } from '../primitives/attributes.js';
import type { Tensor } from '../tensor.js';
import { recordGraph } from './record-graph.js';

/** Floating-point operations; a multiplication and its addition are two. */
export interface Flops {
  /** Of matrix products, those of attention among them. */
  readonly matmul: number;
  readonly convolution: number;
  /** Of everything elementwise, and of norms, softmax and other reductions: one for each element that is gone through. */
  readonly elementwise: number;
}

/** What an operation costs by the shapes of its result and its inputs. */
type Rule = { readonly kind: keyof Flops; of(node: OperationNode, inputs: readonly GraphNode[]): number };

const perResult: Rule = { kind: 'elementwise', of: (node) => sizeOf(node.shape) };
const perInput: Rule = { kind: 'elementwise', of: (_, inputs) => sizeOf(inputs[0]!.shape) };
/** Mean, variance, difference, product and the like: some passes over the elements. */
const perNormedElement: Rule = { kind: 'elementwise', of: (node) => 5 * sizeOf(node.shape) };
/** Moves data, or decides how it lies. */
const free: Rule = { kind: 'elementwise', of: () => 0 };

/** x [..., k] times each row of a weight in few bits. */
const perRowOfWeight: Rule = {
  kind: 'matmul',
  of: (node, inputs) => 2 * sizeOf(node.shape) * inputs[0]!.shape.at(-1)!,
};

const rules: { readonly [Name in PrimitiveName]: Rule } = {
  neg: perResult,
  abs: perResult,
  sign: perResult,
  exp: perResult,
  log: perResult,
  sqrt: perResult,
  reciprocal: perResult,
  sin: perResult,
  cos: perResult,
  tanh: perResult,
  erf: perResult,
  sigmoid: perResult,
  relu: perResult,
  floor: perResult,
  ceil: perResult,
  round: perResult,
  logicalNot: perResult,
  cast: free,
  add: perResult,
  sub: perResult,
  mul: perResult,
  div: perResult,
  pow: perResult,
  maximum: perResult,
  minimum: perResult,
  equal: perResult,
  less: perResult,
  lessEqual: perResult,
  logicalAnd: perResult,
  logicalOr: perResult,
  where: perResult,
  reduceSum: perInput,
  reduceMax: perInput,
  argMax: perInput,
  topKIndices: perInput,
  cumsum: perResult,
  softmax: perNormedElement,
  logSoftmax: perNormedElement,
  layerNorm: perNormedElement,
  rmsNorm: perNormedElement,
  matmul: {
    kind: 'matmul',
    of: (node, inputs) => {
      const { transposeA } = (node as OperationNode<'matmul'>).attributes;
      return 2 * sizeOf(node.shape) * inputs[0]!.shape.at(transposeA ? -2 : -1)!;
    },
  },
  matmulNBits: perRowOfWeight,
  matmulBnb4: perRowOfWeight,
  conv2d: {
    kind: 'convolution',
    // Each element of the result sums over the weights of one output: [inputs / groups, height, width].
    of: (node, inputs) => 2 * sizeOf(node.shape) * sizeOf(inputs[1]!.shape.slice(1)),
  },
  convTranspose2d: {
    kind: 'convolution',
    // Each element of the input is spread by the weights of one input: [outputs / groups, height, width].
    of: (_, inputs) => 2 * sizeOf(inputs[0]!.shape) * sizeOf(inputs[1]!.shape.slice(1)),
  },
  reshape: free,
  transpose: free,
  broadcastTo: free,
  slice: free,
  pad: free,
  concat: free,
  gather: free,
  scatterAddRows: { kind: 'elementwise', of: (_, inputs) => sizeOf(inputs[1]!.shape) },
  takeAlongAxis: free,
  scatterAddAlongAxis: { kind: 'elementwise', of: (_, inputs) => sizeOf(inputs[1]!.shape) },
  updateSlice: free,
  randomUniform: perResult,
  barrier: free,
  stopGradient: free,
};

/**
 * What computing tensors costs, from the recorded operations alone: every operation once, also where several of the
 * tensors need it. Gradients may be among them; then it is the cost of a training step without the optimizer's.
 */
export function countFlops(outputs: readonly Tensor[]): Flops {
  return countGraphFlops(recordGraph(outputs).graph);
}

/** {@link countFlops} of a graph. */
export function countGraphFlops({ nodes }: Pick<Graph, 'nodes'>): Flops {
  const total = { matmul: 0, convolution: 0, elementwise: 0 };
  for (const node of nodes) {
    if (node.kind !== 'operation') continue;
    const { kind, of } = rules[node.op];
    total[kind] += of(
      node,
      node.inputs.map((index) => nodes[index]!),
    );
  }
  return total;
}
