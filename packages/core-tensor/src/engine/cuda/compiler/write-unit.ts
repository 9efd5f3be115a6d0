import type { OperationNode } from '../../../graph/graph.js';
import { sizeOf } from '../../../graph/shape.js';
import type { EmitterContext } from '../codegen/emitter.js';
import { pointwiseStep, type Store } from '../codegen/pointwise.js';
import { partialType, reduceSteps, reductionParts } from '../codegen/reduce.js';
import { rowStep } from '../codegen/row.js';
import type { LiveGraph } from './live-graph.js';
import type { PlannedMatmul } from './matmul.js';
import type { Step } from './program-plan.js';
import type { Unit } from './units.js';
import type { Values } from './values.js';
import { writeAttention } from './write-attention.js';
import { writeConvolution } from './write-convolution.js';
import { writeOpaque } from './write-launches.js';
import { writeMatmul } from './write-matmul.js';
import { writeQuantized } from './write-quantized.js';

export interface WriteOptions {
  readonly values: Values;
  readonly planned: ReadonlyMap<number, PlannedMatmul>;
  /** Nodes that are in memory. */
  readonly stored: ReadonlySet<number>;
  /** Statistics of attentions that their gradients need, by the node of the result. */
  readonly statistics: Map<number, number>;
}

/** The steps that compute a unit's members. */
export function writeUnit(live: LiveGraph, unit: Unit, options: WriteOptions): Step[] {
  const { nodes, operation } = live;
  const { values, stored } = options;
  const [first] = unit.members as [number];
  if (unit.members.every((member) => sizeOf(nodes[member]!.shape) === 0)) return [];
  const place = (node: number) => ({ value: values.of(node), dtype: values.dtype(values.of(node)) });
  const stores = unit.members.filter((node) => stored.has(node)).map((node): Store => ({ node, ...place(node) }));
  const context: EmitterContext = {
    nodes,
    stored: (node) => (unit.reads.has(node) ? place(node) : undefined),
  };
  switch (unit.kind) {
    case 'flat':
      return transposition(live, unit, values) ?? [pointwiseStep(context, stores)];
    case 'row':
      return [rowStep(context, { ...(unit.space as Unit['space'] & { readonly kind: 'row' }), stores })];
    case 'reduce': {
      const { inputs, attributes } = operation(first) as OperationNode<'reduceSum'>;
      const parts = reductionParts(nodes[inputs[0]!]!.shape, attributes.axes);
      const partials = stores.map(({ node }) => {
        const dtype = partialType(nodes[node]!.dtype);
        return { value: parts > 1 ? values.temporary([parts, sizeOf(nodes[node]!.shape)], dtype) : -1, dtype };
      });
      return reduceSteps(context, { stores, partials });
    }
    case 'matmul':
      return writeMatmul(live, unit.product!, options);
    case 'attention':
      return writeAttention(unit.attention!, options);
    case 'opaque': {
      const { op } = operation(first)!;
      if (op === 'reduceSum') return [{ kind: 'fill', value: values.of(first), byte: 0 }];
      if (op === 'matmulNBits' || op === 'matmulBnb4') return writeQuantized(live, first, values);
      if (op === 'conv2d' || op === 'convTranspose2d') return writeConvolution(live, first, values);
      return writeOpaque(live, first, values);
    }
  }
}

/** Elements from which it shows that neighbouring threads read and write neighbouring elements. */
const manyElements = 2 ** 14;

/** A transposition that moves the last axis, of what is in memory, has kernels of its own that go by tiles. */
function transposition(live: LiveGraph, { members, reads }: Unit, values: Values): Step[] | undefined {
  const [index] = members as [number];
  const node = live.operation(index)!;
  if (members.length > 1 || node.op !== 'transpose' || sizeOf(node.shape) < manyElements) return undefined;
  const movesLast = node.attributes.permutation.at(-1) !== node.shape.length - 1;
  const isInMemory = reads.has(live.root(node.inputs[0]!));
  const holdsSame = values.dtype(values.of(node.inputs[0]!)) === values.dtype(values.of(index));
  return movesLast && isInMemory && holdsSame ? writeOpaque(live, index, values) : undefined;
}
