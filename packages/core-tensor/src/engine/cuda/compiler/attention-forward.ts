import type { DType } from '../../../dtype.js';
import type { OperationNode } from '../../../graph/graph.js';
import { type Shape, sameShape, sizeOf } from '../../../graph/shape.js';
import type { ScoreTerm } from '../codegen/attention/problem.js';
import type { Attention } from './attention.js';
import { isNumber, usesThrough } from './attention-uses.js';
import type { LiveGraph } from './live-graph.js';

/** What a masked score becomes, as in the operation. */
const masked = -1e9;

/** Attention without its gradients, and what is computed inside. */
export interface Forward {
  readonly attention: Omit<Attention, 'backward'>;
  readonly inner: readonly number[];
  readonly softmax: number;
  /** The mask of a `where` in front of the softmax. */
  readonly choice: number | undefined;
  /** Scaled queries, as rows of a product. */
  readonly rows: number;
}

/** What a softmax belongs to, if that is attention as the operation records it. */
export function matchForward(graph: LiveGraph, softmax: number, dtypeOf: (node: number) => DType): Forward | undefined {
  const { nodes, operation, root, outputs } = graph;
  const [batch, heads, queries, keys] = nodes[softmax]!.shape as [number, number, number, number];
  const inner = [softmax];
  const terms: { node: number; strides: ScoreTerm['strides'] }[] = [];
  let causal = false;
  let choice: number | undefined;
  // A term's strides are those along batch, heads, queries and keys, and no other axes.
  const areScores = ({ shape }: OperationNode) => sameShape(shape, nodes[softmax]!.shape);
  let scores = operation(softmax)!.inputs[0]!;
  for (;;) {
    const node = operation(scores);
    if (!node) return undefined;
    inner.push(scores);
    if (node.op === 'matmul') break;
    if (node.op === 'reshape') scores = node.inputs[0]!;
    else if (
      node.op === 'where' &&
      areScores(node) &&
      choice === undefined &&
      isNumber(graph, node.inputs[2]!, masked)
    ) {
      const [mask, x] = node.inputs as readonly [number, number];
      choice = mask;
      terms.push({ node: mask, strides: termStrides(nodes[mask]!.shape, node.shape) });
      scores = x;
    } else if (node.op === 'add' && areScores(node)) {
      const [x, term] = scoresOf(graph, node) ?? [];
      if (x === undefined || term === undefined) return undefined;
      if (isCausal(graph, term, queries, keys)) causal = true;
      else terms.push({ node: term, strides: termStrides(nodes[term]!.shape, node.shape) });
      scores = x;
    } else return undefined;
    if (terms.length > 2) return undefined;
  }
  const product = operation(scores) as OperationNode<'matmul'>;
  const { transposeA, transposeB } = product.attributes;
  const [rows, k] = product.inputs as readonly [number, number];
  if (transposeA || !transposeB || nodes[k]!.shape.length !== 4) return undefined;
  const [, keyHeads, , width] = nodes[k]!.shape as [number, number, number, number];
  // Queries that share a key head are rows of one product, and nothing is taken apart otherwise.
  const shared = [batch, keyHeads, (heads / keyHeads) * queries, keys];
  const out = sameShape(product.shape, shared) ? weightedValues(graph, softmax, shared) : undefined;
  if (out === undefined || sizeOf(nodes[rows]!.shape) !== batch * heads * queries * width) return undefined;
  const v = operation(out)!.inputs[1]!;
  if (nodes[v]!.shape.join() !== nodes[k]!.shape.join()) return undefined;
  // Queries that are rounded after they are scaled are taken as they are then.
  const unrounded = unscaled(graph, rows);
  const scaled = dtypeOf(root(unrounded.node)) === dtypeOf(root(k)) ? unrounded : { node: rows, factor: 1 };
  const [q, key, value] = [scaled.node, k, v].map(root) as [number, number, number];
  const dtype = dtypeOf(q);
  if (dtype === 'int64' || dtype === 'int32' || dtype === 'uint8' || dtype === 'bool') return undefined;
  const isOutput = new Set(outputs.map(root));
  if ([key, value, root(out)].some((each) => dtypeOf(each) !== dtype) || inner.some((each) => isOutput.has(each)))
    return undefined;
  // The operation adds a bias first and applies a mask last.
  const [mask, bias] = terms.map(({ node, strides }) => ({ node: root(node), dtype: dtypeOf(root(node)), strides }));
  const term = (each: typeof mask) => each && { dtype: each.dtype, strides: each.strides };
  if (bias && bias.dtype === 'bool') return undefined;
  const problem = {
    batch,
    heads,
    keyHeads,
    queries,
    keys,
    width,
    dtype,
    scale: scaled.factor,
    causal,
    mask: term(mask),
    bias: term(bias),
  };
  const nodesOfTerms = { ...(mask ? { mask: mask.node } : {}), ...(bias ? { bias: bias.node } : {}) };
  return {
    attention: { problem, q, k: key, v: value, ...nodesOfTerms, out },
    inner,
    softmax,
    choice,
    rows,
  };
}

/** The product of weights, in the given shape, and values, as the weights' only use of that kind. */
function weightedValues(graph: LiveGraph, softmax: number, shape: Shape): number | undefined {
  const { nodes, operation, root } = graph;
  const found = usesThrough(graph, softmax).filter((use) => {
    const node = operation(use)!;
    const isProduct = node.op === 'matmul' && !node.attributes.transposeA && !node.attributes.transposeB;
    return isProduct && root(node.inputs[0]!) === softmax && sameShape(nodes[node.inputs[0]!]!.shape, shape);
  });
  return found.length === 1 ? found[0] : undefined;
}

/** Which operand of a sum is the scores: the one that leads to a product. */
function scoresOf(graph: LiveGraph, node: OperationNode): readonly [scores: number, term: number] | undefined {
  const leads = (index: number): boolean => {
    const each = graph.operation(index);
    if (!each || sizeOf(each.shape) !== sizeOf(node.shape)) return false;
    if (each.op === 'matmul') return each.attributes.transposeB;
    return (each.op === 'reshape' || each.op === 'add' || each.op === 'where') && each.inputs.some(leads);
  };
  const [a, b] = node.inputs as readonly [number, number];
  if (leads(a)) return [a, b];
  return leads(b) ? [b, a] : undefined;
}

/** Steps of a broadcast term in memory. */
function termStrides(shape: Shape, scores: Shape): ScoreTerm['strides'] {
  let stride = 1;
  const strides = scores.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) strides[axis + scores.length - shape.length] = stride;
    stride *= shape[axis]!;
  }
  return strides as unknown as ScoreTerm['strides'];
}

/** Answers about arrays that were looked through: layers share one. */
const causalArrays = new WeakMap<object, string>();

/** Whether a term hides the keys behind each query, and nothing else. */
function isCausal({ nodes, root }: LiveGraph, index: number, queries: number, keys: number): boolean {
  const node = nodes[root(index)]!;
  if (node.kind !== 'constant' || sizeOf(node.shape) !== queries * keys) return false;
  const size = `${queries}x${keys}`;
  if (causalArrays.get(node.data) === size) return true;
  for (let query = 0; query < queries; query++) {
    for (let key = 0; key < keys; key++) {
      const expected = key > query + keys - queries ? masked : 0;
      if (Number(node.data[query * keys + key]) !== expected) return false;
    }
  }
  causalArrays.set(node.data, size);
  return true;
}

/** Rows without the number they are multiplied with. */
function unscaled(graph: LiveGraph, rows: number): { readonly node: number; readonly factor: number } {
  const node = graph.operation(rows);
  if (node?.op === 'reshape') return unscaled(graph, node.inputs[0]!);
  const factor = node?.op === 'mul' ? node.inputs.find((input) => isAnyNumber(graph, input)) : undefined;
  if (node === undefined || factor === undefined) return { node: rows, factor: 1 };
  const other = node.inputs[0] === factor ? node.inputs[1]! : node.inputs[0]!;
  const number = graph.nodes[factor]!;
  return { node: other, factor: number.kind === 'constant' ? Number(number.data[0]) : 1 };
}

function isAnyNumber({ nodes }: LiveGraph, index: number): boolean {
  const node = nodes[index]!;
  return node.kind === 'constant' && node.dtype === 'float32' && sizeOf(node.shape) === 1;
}
