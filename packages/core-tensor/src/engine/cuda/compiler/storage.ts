import { isFloating } from '../../../dtype.js';
import { isElementwiseOperation } from '../../../graph/elementwise.js';
import { sizeOf } from '../../../graph/shape.js';
import type { PrimitiveName } from '../../../primitives/attributes.js';
import { isView, type LiveGraph } from './live-graph.js';

/**
 * How float32 is computed: as it is; with tensor cores that round operands of products to 10 bits (`tf32`); or with
 * intermediate values and operands of products held as bfloat16, sums still in float32.
 */
export type Precision = 'float32' | 'tf32' | 'bfloat16';

/** Results that stay float32: sums and what is looked up in them; losses. */
const wide: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'reduceSum',
  'reduceMax',
  'cumsum',
  'scatterAddRows',
  'scatterAddAlongAxis',
  'logSoftmax',
  'randomUniform',
]);

const products: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(['matmul', 'conv2d', 'convTranspose2d']);

/** Operations whose float operands decide about places or cases, where rounding would show. */
const decisive: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(['floor', 'ceil', 'round', 'equal', 'sin', 'cos']);

/** Which float32 nodes have 16 bits under the precision `bfloat16`. */
export interface NarrowNodes {
  /** Held as bfloat16 where it is in memory. */
  holds(node: number): boolean;
  /** A product whose operands are rounded to bfloat16. */
  multiplies(node: number): boolean;
}

/**
 * Nodes with 16 bits: those computed from pixels, weights and activations, other than sums and statistics, and than what
 * places are computed from. A product whose result is kept in float32, such as a weight's gradient, has rounded operands too.
 */
export function findNarrow({ nodes, operations, operation, outputs, root }: LiveGraph): NarrowNodes {
  const isActivation = nodes.map(({ dtype, kind }) => isFloating(dtype) && (kind === 'input' || kind === 'resident'));
  const isWide = nodes.map(() => false);
  for (const index of operations) {
    const node = operation(index)!;
    const floats = node.inputs.filter((input) => isActivation[input]);
    isActivation[index] = isFloating(node.dtype) && floats.length > 0;
    const selects = node.op === 'takeAlongAxis' || node.op === 'gather';
    const passes = isElementwiseOperation(node.op) || isView(node) || selects;
    isWide[index] = wide.has(node.op) || (passes && floats.length > 0 && floats.every((input) => isWide[input]));
  }
  const decides = nodes.map(() => false);
  for (const index of [...operations].reverse()) {
    const node = operation(index)!;
    const isToInteger = node.op === 'cast' && !isFloating(node.dtype);
    const passes = isElementwiseOperation(node.op) || isView(node) || products.has(node.op);
    if (decisive.has(node.op) || isToInteger || (passes && decides[index]))
      for (const input of node.inputs) decides[input] = true;
  }
  const isOutput = new Set(outputs.map(root));
  return {
    holds: (index) => {
      const source = root(index);
      const node = nodes[source]!;
      if (node.kind !== 'operation' || node.dtype !== 'float32' || sizeOf(node.shape) === 1 || isOutput.has(source))
        return false;
      return isActivation[source]! && !isWide[source] && !decides[source];
    },
    multiplies: (index) => isActivation[index]! && !decides[index],
  };
}
