import { Parameter } from '../nn/parameter.js';
import type { Tensor } from '../tensor.js';

/**
 * Gives back the memory of computed tensors now instead of when the garbage collector finds them. What was asked for
 * earlier still sees their values; later uses fail. Parameters and host values stay as they are.
 */
export function dispose(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    if (tensor instanceof Parameter || tensor.source.kind !== 'device') continue;
    const { buffer } = tensor.source;
    buffer.engine.free(buffer);
  }
}
