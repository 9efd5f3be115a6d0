import type { AttentionGradients } from './attention.js';
import type { Forward } from './attention-forward.js';
import { isNumber, usesThrough } from './attention-uses.js';
import type { LiveGraph } from './live-graph.js';

/** What a gradient's search found: no gradients where nothing is differentiated. */
export interface Backward {
  readonly gradients: AttentionGradients | undefined;
  readonly inner: readonly number[];
}

/** Finds the gradients, and that nothing else uses weights and scores; undefined where something does. */
export function matchBackward(
  graph: LiveGraph,
  { attention, inner, softmax, choice, rows }: Forward,
): Backward | undefined {
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

/** The node in which the gradient of scaled queries has been multiplied with their scale. */
function rescaled(graph: LiveGraph, dRows: number, scale: number): number | undefined {
  if (scale === 1) return dRows;
  const [only, ...others] = usesThrough(graph, dRows);
  const node = only === undefined ? undefined : graph.operation(only);
  if (others.length > 0 || node?.op !== 'mul' || !node.inputs.some((input) => isNumber(graph, input, scale)))
    return undefined;
  return only;
}
