import type { DType } from '../../../dtype.js';
import { sizeOf } from '../../../graph/shape.js';
import type { KernelStep } from '../compiler/program-plan.js';
import { emittedStep, indexType } from './emitted-step.js';
import { createEmitter, type EmitterContext } from './emitter.js';
import { splitIndex, variableIndex } from './index-expression.js';

/** A node that a kernel writes to memory. */
export interface Store {
  readonly node: number;
  readonly value: number;
  /** Type it is held as. */
  readonly dtype: DType;
}

const threads = 256;
/** Elements a thread computes: several loads are under way at once. */
const unrolled = 4;

/** A kernel that computes nodes of one number of elements, each element by itself. */
export function pointwiseStep(context: EmitterContext, stores: readonly Store[]): KernelStep {
  const { nodes } = context;
  const size = sizeOf(nodes[stores[0]!.node]!.shape);
  const emitter = createEmitter(context);
  const index = variableIndex({ text: 'i', size });
  const lines = emitter.block(() => {
    for (const { node, value, dtype } of stores) {
      const text = emitter.value(node, splitIndex(index, nodes[node]!.shape));
      emitter.store(value, dtype, index, text, nodes[node]!.dtype);
    }
  });
  const perBlock = threads * unrolled;
  const body = [
    '#pragma unroll',
    `for (int k = 0; k < ${unrolled}; k++) {`,
    `  const ${indexType(size)} i = (${indexType(size)})blockIdx.x * ${perBlock} + k * ${threads} + threadIdx.x;`,
    `  if (i < ${size}) {`,
    ...lines.map((line) => `    ${line}`),
    '  }',
    '}',
  ];
  return emittedStep('pointwise', emitter, body, { grid: [Math.ceil(size / perBlock), 1, 1], threads: [threads, 1] });
}
