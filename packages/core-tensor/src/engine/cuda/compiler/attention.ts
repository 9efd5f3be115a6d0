import type { DType } from '../../../dtype.js';
import type { OperationNode } from '../../../graph/graph.js';
import { type Shape, sizeOf } from '../../../graph/shape.js';
import type { AttentionProblem, ScoreTerm } from '../codegen/attention/problem.js';
import type { LiveGraph } from './live-graph.js';

/** Scaled dot-product attention in a graph, found as what `attention` of the operations records. */
export interface Attention {
  readonly problem: AttentionProblem;
  /** Roots. */
  readonly q: number;
  readonly k: number;
  readonly v: number;
  readonly mask?: number;
  readonly bias?: number;
  /** The product of weights and values. */
  readonly out: number;
  readonly backward?: AttentionGradients;
}

/** The nodes of its gradients; those that nobody asked for are missing. */
export interface AttentionGradients {
  /** Root of the gradient of `out`. */
  readonly dOut: number;
  readonly dq?: number;
  readonly dk?: number;
  readonly dv?: number;
}

/** All attentions of a graph. */
export interface Attentions {
  readonly all: readonly Attention[];
  /** Nodes that are computed inside, and are nowhere in memory. */
  readonly inner: ReadonlySet<number>;
}

/** What a masked score becomes, as in the operation. */
const masked = -1e9;

/**
 * Finds the attentions whose weights nothing else looks at, so that the weights, [queries, keys] for each head, need not be in
 * memory.
 *
 * @param fits whether there are kernels for it
 */
export function findAttentions(
  graph: LiveGraph,
  dtypeOf: (node: number) => DType,
  fits: (problem: AttentionProblem, trains: boolean) => boolean,
): Attentions {
  const inner = new Set<number>();
  const all = graph.operations.flatMap((index) => {
    const node = graph.operation(index)!;
    if (node.op !== 'softmax' || node.shape.length !== 4) return [];
    const found = matchForward(graph, index, dtypeOf);
    const backward = found && matchBackward(graph, found);
    if (!found || !backward || !fits(found.attention.problem, backward.gradients !== undefined)) return [];
    for (const each of [...found.inner, ...backward.inner]) inner.add(each);
    const { gradients } = backward;
    return [{ ...found.attention, ...(gradients ? { backward: gradients } : {}) }];
  });
  return { all, inner };
}

interface Forward {
  readonly attention: Omit<Attention, 'backward'>;
  readonly inner: readonly number[];
  readonly softmax: number;
  /** The mask of a `where` in front of the softmax. */
  readonly choice: number | undefined;
  /** Scaled queries, as rows of a product. */
  readonly rows: number;
}

function matchForward(graph: LiveGraph, softmax: number, dtypeOf: (node: number) => DType): Forward | undefined {
  const { nodes, operation, root, outputs } = graph;
  const [batch, heads, queries, keys] = nodes[softmax]!.shape as [number, number, number, number];
  const inner = [softmax];
  const terms: { node: number; strides: ScoreTerm['strides'] }[] = [];
  let causal = false;
  let choice: number | undefined;
  let scores = operation(softmax)!.inputs[0]!;
  for (;;) {
    const node = operation(scores);
    if (!node) return undefined;
    inner.push(scores);
    if (node.op === 'matmul') break;
    if (node.op === 'reshape') scores = node.inputs[0]!;
    else if (node.op === 'where' && choice === undefined && isNumber(graph, node.inputs[2]!, masked)) {
      const [mask, x] = node.inputs as readonly [number, number];
      choice = mask;
      terms.push({ node: mask, strides: termStrides(nodes[mask]!.shape, node.shape) });
      scores = x;
    } else if (node.op === 'add') {
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
  const mixed = weightedValues(graph, softmax);
  if (!mixed || sizeOf(nodes[rows]!.shape) !== batch * heads * queries * width) return undefined;
  const v = operation(mixed.out)!.inputs[1]!;
  if (nodes[v]!.shape.join() !== nodes[k]!.shape.join()) return undefined;
  // Queries that are rounded after they are scaled are taken as they are then.
  const unrounded = unscaled(graph, rows);
  const scaled = dtypeOf(root(unrounded.node)) === dtypeOf(root(k)) ? unrounded : { node: rows, factor: 1 };
  const [q, key, value] = [scaled.node, k, v].map(root) as [number, number, number];
  const dtype = dtypeOf(q);
  if (dtype === 'int64' || dtype === 'int32' || dtype === 'uint8' || dtype === 'bool') return undefined;
  const isOutput = new Set(outputs.map(root));
  if ([key, value, root(mixed.out)].some((each) => dtypeOf(each) !== dtype) || inner.some((each) => isOutput.has(each)))
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
    attention: { problem, q, k: key, v: value, ...nodesOfTerms, out: mixed.out },
    inner: [...inner, ...mixed.inner],
    softmax,
    choice,
    rows,
  };
}

/** What a gradient's search found: no gradients where nothing is differentiated. */
interface Backward {
  readonly gradients: AttentionGradients | undefined;
  readonly inner: readonly number[];
}

/** Finds the gradients, and that nothing else uses weights and scores; undefined where something does. */
function matchBackward(graph: LiveGraph, { attention, inner, softmax, choice, rows }: Forward): Backward | undefined {
  const { operation, root } = graph;
  const known = new Set(inner);
  // Between the scores' product and the weights, each node is used once; the weights are used by the values alone.
  const weightUses = usesThrough(graph, softmax).filter((use) => use !== attention.out);
  for (const each of inner) {
    if (each === softmax || each === attention.out || operation(each)!.op === 'reshape') continue;
    if (usesThrough(graph, each).some((use) => !known.has(use))) return undefined;
  }
  if (weightUses.length === 0)
    return { gradients: undefined, inner: [...inner].filter((each) => each !== attention.out) };

  // weights · d weights, and its sum over keys times the weights.
  const product = weightUses.find((use) => {
    const node = operation(use)!;
    return node.op === 'mul' && usesThrough(graph, use).some((sum) => operation(sum)!.op === 'reduceSum');
  });
  if (product === undefined) return undefined;
  const sum = usesThrough(graph, product).find((use) => operation(use)!.op === 'reduceSum')!;
  const spread = usesThrough(graph, sum)[0];
  const difference = spread === undefined ? undefined : usesThrough(graph, spread)[0];
  if (difference === undefined || operation(spread!)!.op !== 'mul' || operation(difference)!.op !== 'sub')
    return undefined;
  const weightGradient = operation(product)!
    .inputs.map(root)
    .find((each) => each !== softmax);
  const values = weightGradient === undefined ? undefined : operation(weightGradient);
  if (values?.op !== 'matmul' || root(values.inputs[1]!) !== attention.v || !values.attributes.transposeB)
    return undefined;
  const dOut = root(values.inputs[0]!);
  const dv = weightUses.find((use) => {
    const node = operation(use)!;
    return node.op === 'matmul' && node.attributes.transposeA && root(node.inputs[1]!) === dOut;
  });
  let scores = difference;
  const chosen: number[] = [];
  const uses = usesThrough(graph, scores);
  if (choice !== undefined) {
    const [where] = uses;
    const node = where === undefined ? undefined : operation(where);
    if (uses.length !== 1 || node?.op !== 'where' || node.inputs[0] !== choice || !isNumber(graph, node.inputs[2]!, 0))
      return undefined;
    chosen.push(scores);
    scores = where!;
  }
  const last = usesThrough(graph, scores);
  const gradientOf = (operand: number, transposeA: boolean) =>
    last.find((use) => {
      const node = operation(use)!;
      return (
        node.op === 'matmul' && node.attributes.transposeA === transposeA && root(node.inputs[1]!) === root(operand)
      );
    });
  const dRows = gradientOf(attention.k, false);
  const dk = gradientOf(rows, true);
  const expected = [product, spread, dv].filter((each) => each !== undefined);
  const isWhole =
    weightUses.every((use) => expected.includes(use)) &&
    last.every((use) => use === dRows || use === dk) &&
    usesThrough(graph, weightGradient!).every((use) => use === product) &&
    usesThrough(graph, product).every((use) => use === sum || use === difference) &&
    usesThrough(graph, sum).length === 1 &&
    usesThrough(graph, spread!).length === 1;
  if (!isWhole) return undefined;
  const scaledBack = dRows === undefined ? undefined : rescaled(graph, dRows, attention.problem.scale);
  if (dRows !== undefined && scaledBack === undefined) return undefined;
  const between = [product, sum, spread!, difference, weightGradient!, scores, ...chosen];
  if (dRows !== undefined && scaledBack !== dRows) between.push(dRows);
  return {
    gradients: {
      dOut,
      ...(scaledBack === undefined ? {} : { dq: scaledBack }),
      ...(dk === undefined ? {} : { dk }),
      ...(dv === undefined ? {} : { dv }),
    },
    inner: [...inner, ...between].filter((each) => each !== attention.out),
  };
}

/** Operations that use a node, also through reshapes. */
function usesThrough({ consumers, operation }: LiveGraph, index: number): number[] {
  return consumers[index]!.flatMap((use) =>
    operation(use)!.op === 'reshape' ? usesThrough({ consumers, operation } as LiveGraph, use) : [use],
  );
}

/** The product of weights and values, as the weights' only use of that kind. */
function weightedValues(
  graph: LiveGraph,
  softmax: number,
): { readonly out: number; readonly inner: number[] } | undefined {
  const { operation, root } = graph;
  const found = usesThrough(graph, softmax).filter((use) => {
    const node = operation(use)!;
    const isProduct = node.op === 'matmul' && !node.attributes.transposeA && !node.attributes.transposeB;
    return isProduct && root(node.inputs[0]!) === softmax;
  });
  return found.length === 1 ? { out: found[0]!, inner: [] } : undefined;
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

function isNumber({ nodes }: LiveGraph, index: number, expected: number): boolean {
  const node = nodes[index]!;
  return node.kind === 'constant' && sizeOf(node.shape) === 1 && Number(node.data[0]) === Math.fround(expected);
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
  return node.kind === 'constant' && sizeOf(node.shape) === 1;
}

/** The node in which the gradient of scaled queries has been multiplied with their scale. */
function rescaled(graph: LiveGraph, dRows: number, scale: number): number | undefined {
  if (scale === 1) return dRows;
  const [only, ...others] = usesThrough(graph, dRows);
  const node = only === undefined ? undefined : graph.operation(only);
  if (others.length > 0 || node?.op !== 'mul' || !node.inputs.some((input) => isNumber(graph, input, scale)))
    return undefined;
  return only;
}
