import type { AnyTypedArray } from '../dtype.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { requireSliceRange } from './integer-checks.js';

/** Numbers in row-major order. */
interface Block {
  readonly data: AnyTypedArray;
  readonly shape: Shape;
}

/**
 * Writes an update over places start, start + 1, … of an axis.
 *
 * @throws EngineError if the places are not there.
 */
export function writeSlice(operation: string, target: Block, update: Block, start: number, axis: number): void {
  const size = target.shape[axis]!;
  const count = update.shape[axis]!;
  requireSliceRange(operation, start, count, size);
  const inner = sizeOf(target.shape.slice(axis + 1));
  const outer = sizeOf(target.shape.slice(0, axis));
  const into = target.data as Float32Array;
  const from = update.data as Float32Array;
  for (let i = 0; i < outer; i++) {
    into.set(from.subarray(i * count * inner, (i + 1) * count * inner), (i * size + start) * inner);
  }
}
