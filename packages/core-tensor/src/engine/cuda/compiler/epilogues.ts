import type { DType } from '../../../dtype.js';
import { sameShape, sizeOf } from '../../../graph/shape.js';
import { kindOf } from './kinds.js';
import type { LiveGraph } from './live-graph.js';

/** A product and what is added to it while it is written. */
export interface Product {
  readonly matmul: number;
  /** The node whose elements are written: the product itself, or the last of the sums. */
  readonly result: number;
  /** A row [n] that is added to every row. */
  readonly bias?: number;
  /** A node of the product's size that is added. */
  readonly residual?: number;
}

/** A graph's products. */
export interface Products {
  /** By the node whose elements are written. */
  readonly byResult: ReadonlyMap<number, Product>;
  /** Products and sums that are in no memory, because a sum after them is. */
  readonly inner: ReadonlySet<number>;
}

/** Products with the sums that the library makes on the way, each the only use of what it is added to. */
export function findProducts(
  graph: LiveGraph,
  dtypeOf: (node: number) => DType,
  isProduct: (node: number) => boolean,
): Products {
  const { nodes, operations, operation, consumers, root } = graph;
  const isOutput = new Set(graph.outputs.map(root));
  const byResult = new Map<number, Product>();
  const inner = new Set<number>();
  for (const matmul of operations) {
    if (!isProduct(matmul)) continue;
    let result = matmul;
    let added: Pick<Product, 'bias' | 'residual'> = {};
    for (let next = addition(result, added); next && !byResult.has(next.sum); next = addition(result, added)) {
      inner.add(result);
      result = next.sum;
      added = { ...added, [next.part]: next.other };
    }
    byResult.set(result, { matmul, result, ...added });
  }
  return { byResult, inner };

  /** The sum that a node is used for alone, and what it adds. */
  function addition(
    index: number,
    added: Pick<Product, 'bias' | 'residual'>,
  ): { readonly sum: number; readonly part: 'bias' | 'residual'; readonly other: number } | undefined {
    let value = index;
    let sum = onlyUse(value);
    while (sum !== undefined && operation(sum)!.op === 'reshape') {
      value = sum;
      sum = onlyUse(value);
    }
    const node = sum === undefined ? undefined : operation(sum)!;
    if (node?.op !== 'add' || sizeOf(node.shape) !== sizeOf(nodes[index]!.shape)) return undefined;
    const operand = node.inputs[0] === value ? node.inputs[1]! : node.inputs[0]!;
    const other = root(operand);
    if (operand === value || dtypeOf(other) !== dtypeOf(sum!) || added.residual !== undefined) return undefined;
    const { shape } = nodes[operand]!;
    const width = nodes[index]!.shape.at(-1)!;
    const isRow = sizeOf(shape) === width && shape.at(-1) === width && node.shape.at(-1) === width;
    if (isRow && added.bias === undefined && operation(other) === undefined && nodes[other]!.kind !== 'constant')
      return { sum: sum!, part: 'bias', other };
    return sameShape(shape, node.shape) && isInMemory(other) ? { sum: sum!, part: 'residual', other } : undefined;
  }

  function onlyUse(index: number): number | undefined {
    const uses = consumers[index]!;
    return uses.length === 1 && !isOutput.has(root(index)) ? uses[0] : undefined;
  }

  /** Whether a node is in memory anyway. */
  function isInMemory(index: number): boolean {
    const node = operation(index);
    return !node || consumers[index]!.length > 1 || !['view', 'inline'].includes(kindOf(node, nodes));
  }
}
