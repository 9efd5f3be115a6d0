import { type Initializer, initializers } from '@ocelli/core-tensor';
import { z } from 'zod';

/**
 * Deviation of the first values of linear layers; `null` for PyTorch's own start, uniform ±1/√inputs. Which of the two
 * the published model had is unknown: layers that a checkpoint lacks get N(0, 0.02²) from Hugging Face's loader.
 */
export const initializerRange = z.number().nonnegative().nullable().default(0.02);

/** Options of a linear layer for a deviation. */
export function startOf(range: number | null): { readonly initializer?: Initializer } {
  return range === null ? {} : { initializer: initializers.normal(0, range) };
}
