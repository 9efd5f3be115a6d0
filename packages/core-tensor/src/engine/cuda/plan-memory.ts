import { byteSize } from '../../dtype.js';
import { sizeOf } from '../../graph/shape.js';
import { Parameter } from '../../nn/parameter.js';
import type { Tensor } from '../../tensor.js';
import { buildGraph } from '../build-graph.js';
import { planProgram } from './compiler/plan-program.js';
import type { PlannedValue } from './compiler/program-plan.js';
import type { Precision } from './compiler/storage.js';
import { sizeClass } from './runtime/allocator.js';
import { workspaceBytes } from './runtime/products.js';

/** Memory of the card that a program takes, in bytes. */
export interface CudaMemory {
  /** Parameters and other arguments; they are there before it runs. */
  readonly arguments: number;
  /** Intermediate values, which share one block. */
  readonly intermediate: number;
  readonly results: number;
  /** Constants, and what is computed from them and from frozen parameters once. */
  readonly held: number;
  /** What the library of products works in, where there are products. */
  readonly workspace: number;
  readonly total: number;
}

/**
 * The memory that computing `outputs` in one program takes on the `cuda` engine, found without a card and without values:
 * the same plan that the engine makes. Optimizer state is not part of it.
 *
 * @param outputs results and gradients; frozen parameters among what they depend on are constants, as in `compile`
 */
export function planCudaMemory(
  outputs: readonly Tensor[],
  { precision = 'float32' }: { readonly precision?: Precision } = {},
): CudaMemory {
  const residents = new Map<Tensor, number>();
  const { graph } = buildGraph(outputs, [], (leaf) => {
    if (leaf instanceof Parameter && !leaf.requiresGrad) {
      residents.set(leaf, residents.size + 1);
      const { shape, dtype } = leaf;
      // Only its number is looked at.
      const buffer = { engine: undefined as never, id: residents.size, shape, dtype };
      return { kind: 'resident', buffer, version: leaf.version };
    }
    return { kind: leaf.source.kind === 'host' ? 'constant' : 'input' };
  });
  const { values, steps, preparation, arenaBytes } = planProgram(graph, { precision });
  const bytesOf = (kinds: readonly PlannedValue['place']['kind'][]) =>
    values
      .filter(({ place }) => kinds.includes(place.kind))
      .reduce((sum, { shape, dtype }) => sum + sizeClass(sizeOf(shape) * byteSize(dtype)), 0);
  const hasProducts = [...steps, ...preparation].some(({ kind }) => kind === 'matmul');
  const parts = {
    arguments: bytesOf(['input', 'resident']),
    intermediate: arenaBytes === 0 ? 0 : sizeClass(arenaBytes),
    results: bytesOf(['output']),
    held: bytesOf(['constant', 'prepared', 'shared']),
    workspace: hasProducts ? workspaceBytes : 0,
  };
  return { ...parts, total: Object.values(parts).reduce((a, b) => a + b, 0) };
}
